package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"omnidesk/internal/id"
)

// example is what the API's document does not say of a valid request. Texts may name a subject: $connection.
type example struct {
	fields  map[string]any    // of the body, over what its schema gives; nil leaves one out
	query   map[string]string // over none
	raw     string            // a body that is no JSON
	headers map[string]string
	status  int    // of a caller who is let in, when it is another than the document's
	before  string // SQL that brings the subject, $2, of a company, $1, if any, into the state for it
	unseen  int    // the status for a user without the department of what the body names
	leaves  bool   // it reaches another company by right
}

var (
	noLink     = example{fields: map[string]any{"token": "none"}, status: http.StatusUnprocessableEntity}
	notNow     = example{status: http.StatusConflict} // the subject is not in the state for it, so it was found
	campaignIs = func(state string) string {
		return "UPDATE campaigns SET state = '" + state + "', frozen_at = now(), started_at = now() WHERE company_id = $1 AND id = $2"
	}
	importIs = func(state string) string {
		return "UPDATE imports SET state = '" + state + "', started_at = now(), finished_at = now() WHERE company_id = $1 AND id = $2"
	}
	wholeDay = map[string]any{"window_from": "00:00", "window_until": "24:00", "zone": "UTC", "name": canaryA + " company"}
	draft    = map[string]any{"name": "$unique", "content": map[string]any{"kind": "text", "text": "Hi"}, "connection_id": "$connection_id",
		"audience": map[string]any{"tag_ids": []any{"$tag_ids"}}}
	checked = map[string]any{"content": draft["content"], "connection_id": draft["connection_id"], "audience": draft["audience"]}
)

// examples, by the name in the table. An operation that is missing here is called with what its schema asks for.
var examples = map[string]example{
	"login":            {fields: map[string]any{"email": "$unique@example.com", "password": "wrong"}, status: http.StatusUnauthorized},
	"changePassword":   {fields: map[string]any{"current_password": "wrong"}, status: http.StatusUnprocessableEntity},
	"askEmail":         {fields: map[string]any{"email": "$unique@example.com", "current_password": "wrong"}, status: http.StatusUnprocessableEntity},
	"changeEmail":      noLink,
	"resetPassword":    {fields: map[string]any{"token": "none", "new_password": "a long enough phrase"}, status: http.StatusUnprocessableEntity},
	"acceptInvitation": {fields: map[string]any{"token": "none", "password": "a long enough phrase"}, status: http.StatusUnprocessableEntity},
	"showInvitation":   noLink,
	"verifyEmail":      noLink,
	"signUp":           {fields: map[string]any{"email": "$unique@example.com", "password": "a long enough phrase", "zone": "UTC"}},
	"askReset":         {fields: map[string]any{"email": "$unique@example.com"}},
	"enterCompany":     {fields: map[string]any{"company_id": "$company_id"}, leaves: true},
	"createCompany":    {fields: map[string]any{"email": "$unique@example.com", "zone": "UTC"}},
	"addSuperadmin":    {fields: map[string]any{"email": "$unique@example.com"}},
	"removeSuperadmin": {leaves: true},
	"drainPlatform":    {before: `UPDATE drains SET ended_at = now() WHERE ended_at IS NULL`},
	"resumePlatform":   {before: `INSERT INTO drains (began_at, began_by) SELECT clock_timestamp(), gen_random_uuid() WHERE NOT EXISTS (SELECT FROM drains WHERE ended_at IS NULL)`},
	"putSettings":      {fields: wholeDay},
	"putSetup":         {fields: map[string]any{"skipped": []any{}}},
	"removeDemo":       notNow,
	"releaseRestore":   notNow,
	"invite":           {fields: map[string]any{"email": "$unique@example.com"}},
	"createDepartment": {fields: map[string]any{"name": "$unique"}},
	"renameDepartment": {fields: map[string]any{"name": "$unique"}},
	"setMembers":       {fields: map[string]any{"person_ids": []any{"$person_ids"}}},

	"createConnection": {fields: map[string]any{"number_id": "$digits", "department_id": "$department_id"}},
	"updateConnection": {fields: map[string]any{"name": "Another", "department_id": "$department_id"}},
	"probeConnection":  {fields: map[string]any{"connection_id": "$connection_id", "number_id": "77"}},
	"deleteConnection": notNow,

	"createContact":   {fields: map[string]any{"phone": "$phone"}},
	"listContacts":    {query: map[string]string{"tag_id": "$tag_id"}},
	"countContacts":   {query: map[string]string{"tag_id": "$tag_id"}},
	"exportContacts":  {query: map[string]string{"segment_id": "$segment_id", "format": "csv"}},
	"tagContacts":     {fields: map[string]any{"ids": []any{"$contact_ids"}, "add": []any{"new"}}},
	"createSegment":   {fields: map[string]any{"name": "$unique", "filter": "opted_out"}},
	"updateSegment":   {fields: map[string]any{"version": 1, "name": "$unique"}},
	"uploadMedia":     {raw: "%PDF-1.7"},
	"getMedia":        {query: map[string]string{"name": "a.pdf"}},
	"fetchMedia":      notNow,
	"uploadImport":    {raw: "phone,name\n+5511977776666,Ana\n", query: map[string]string{"file_name": "people.csv"}},
	"mapImport":       {fields: map[string]any{"version": 1, "mapping": []any{map[string]any{"field": "phone"}}}},
	"startImport":     {fields: map[string]any{"version": 1}, status: http.StatusUnprocessableEntity}, // its preview has no usable row
	"stopImport":      {before: importIs("running")},
	"undoForecast":    notNow,
	"undoImport":      {before: importIs("finished")},
	"pauseCampaign":   {before: campaignIs("running")},
	"resumeCampaign":  {before: campaignIs("paused")},
	"cancelCampaign":  {before: campaignIs("running")},
	"resendCampaign":  {before: campaignIs("finished")},
	"createCampaign":  {fields: draft},
	"checkDraft":      {fields: checked},
	"draftSamples":    {fields: checked},
	"updateCampaign":  {fields: map[string]any{"version": 1, "connection_id": "$connection_id", "audience": map[string]any{"segment_id": "$segment_id"}}},
	"sendTest":        {fields: map[string]any{"phone": "+5511988887777", "connection_id": "$connection_id", "contact_id": "$contact_id", "content": map[string]any{"kind": "text", "text": "Hi"}}},
	"settleUncertain": {fields: map[string]any{"verdict": "sent", "message_ids": []any{"$message_ids"}}},
	"replayEvents":    {fields: map[string]any{"ids": []any{"$message_ids"}}},
	"discardEvents":   {fields: map[string]any{"ids": []any{"$message_ids"}}},
	"listUncertain":   {query: map[string]string{"campaign_id": "$campaign_id"}},
	"countUncertain":  {query: map[string]string{"campaign_id": "$campaign_id"}},
	"listTemplates":   {query: map[string]string{"connection_id": "$connection_id"}},
	"listAudit":       {query: map[string]string{"user_id": "$user_id"}},
	"exportAudit":     {query: map[string]string{"user_id": "$user_id", "format": "csv"}},
	"exportCampaign":  {query: map[string]string{"format": "csv"}},

	"answerConversation":   {fields: map[string]any{"key": "$unique", "text": "Hello"}},
	"setConversationState": {fields: map[string]any{"state": "closed"}},
	"mergeContacts":        {fields: map[string]any{"contact_id": "$loser_id"}, before: "UPDATE contacts SET merged_into = NULL WHERE company_id = $1 AND $2::uuid IS NOT NULL"},
	"startConversation":    {fields: map[string]any{"key": "$unique", "connection_id": "$connection_id", "contact_id": "$contact_id", "content": map[string]any{"kind": "text", "text": "Hi"}}, unseen: http.StatusUnprocessableEntity},
	"assignConversation":   {fields: map[string]any{"person_id": "$person_id"}},
	"moveConversation":     {fields: map[string]any{"department_id": "$department_id"}},
	"labelConversation":    {fields: map[string]any{"label_ids": []any{"$label_ids"}}},
	"snoozeConversation":   {fields: map[string]any{}},
	"listConversations":    {query: map[string]string{"label_id": "$label_id"}},
	"createLabel":          {fields: map[string]any{"name": "$unique"}},
	"updateLabel":          {fields: map[string]any{"name": "$unique"}},
	"readNotices":          {fields: map[string]any{"through": "$notice_id"}},

	"createAPIClient": {fields: map[string]any{"name": "$unique", "scopes": []any{"send"}, "connection_ids": []any{"$connection_ids"}}},
	"updateAPIClient": {fields: map[string]any{"version": 1, "name": "$unique", "scopes": []any{"send"}, "connection_ids": []any{"$connection_ids"}}},

	"externalSend":    {status: http.StatusUnauthorized},
	"externalMessage": {status: http.StatusUnauthorized},

	"realtime":    {headers: map[string]string{"Origin": "{origin}"}, status: http.StatusUpgradeRequired},
	"webhookMeta": {status: http.StatusNotFound},
}

// kinds of subjects, by the part of the path before {id}, and by the names of fields.
var kinds = map[string]string{
	"media": "media", "conversations": "conversation", "notices": "notice", "notice_id": "notice", "campaigns": "campaign", "connections": "connection", "contacts": "contact", "departments": "department", "imports": "import", "invitations": "invitation",
	"messages": "message", "people": "person", "superadmins": "superadmin", "segments": "segment", "sessions": "session",
	"api-clients": "apiclient", "connection_ids": "connection", "campaign_id": "campaign", "company_id": "company", "connection_id": "connection", "contact_id": "contact", "contact_ids": "contact", "department_id": "department",
	"message_ids": "message", "person_ids": "person", "person_id": "person", "merges": "merge", "loser_id": "other", "labels": "label", "label_id": "label", "label_ids": "label", "segment_id": "segment", "tag_id": "tag", "tag_ids": "tag", "user_id": "person",
}

func (c call) kindOf(field string) string {
	if field == "id" {
		parts := strings.Split(c.path, "/")
		field = parts[slices.Index(parts, "{id}")-1]
	}
	return kinds[field]
}

// hidden tells whether a user of another department is told that there is no such thing.
func (c call) hidden() bool {
	return strings.Contains(c.path, "{id}") && slices.Contains([]string{"connection", "conversation", "media", "message", "notice"}, c.kindOf("id"))
}

// changes tells whether the call is more than reading.
func (c call) changes() bool { return c.method != http.MethodGet && c.method != http.MethodHead }

// idFields are the places of a request that name a subject.
func (c call) idFields() (fields []string) {
	if strings.Contains(c.path, "{id}") {
		fields = append(fields, "id")
	}
	raw, _ := json.Marshal([]any{c.fields, c.query})
	for field := range kinds {
		if strings.Contains(string(raw), `"$`+field+`"`) {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return fields
}

func (c call) media() string {
	if c.operation == nil || c.operation.RequestBody == nil || c.raw == "" {
		return ""
	}
	for media := range c.operation.RequestBody.Content {
		return media
	}
	return ""
}

// request writes path and body of a valid request.
func (c call) request(t *testing.T, with subjects) (path string, body any) {
	fill := func(text string) string {
		for field, kind := range kinds {
			of, set := with[field]
			if !set {
				of = with[kind]
			}
			if text == "$"+field {
				return of.String()
			}
		}
		unique := id.New().String()
		return strings.NewReplacer("$unique@", "u"+unique+"@", "$unique", unique, "$digits", fmt.Sprint(id.Time(id.New()).UnixNano()), "$phone", fmt.Sprintf("+55119%08d", id.Time(id.New()).UnixNano()/1000%1e8)).Replace(text)
	}
	path = strings.NewReplacer("{id}", with["id"].String(), "{slug}", "made-up", "{path}", "x").Replace(c.path)
	query := url.Values{}
	for name, value := range c.query {
		query.Set(name, fill(value))
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if c.raw != "" {
		return path, c.raw
	}
	if c.operation == nil || c.operation.RequestBody == nil {
		return path, nil
	}
	content := c.operation.RequestBody.Content["application/json"]
	require.NotNil(t, content, "%s takes no JSON: give it a raw example", c.name)
	made, _ := valid(t, c.name, content.Schema, c.fields).(map[string]any)
	for field, value := range c.fields {
		made[field] = filled(value, fill)
	}
	return path, made
}

func filled(value any, fill func(string) string) any {
	switch v := value.(type) {
	case string:
		return fill(v)
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = filled(item, fill)
		}
		return items
	case map[string]any:
		fields := map[string]any{}
		for name, field := range v {
			fields[name] = filled(field, fill)
		}
		return fields
	}
	return value
}

// schemas of the document under test, for references.
var schemas huma.Registry

// valid is the least value that a schema allows, without the fields that an example gives.
func valid(t *testing.T, operation string, s *huma.Schema, given map[string]any) any {
	if s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == huma.TypeObject:
		fields := map[string]any{}
		for _, name := range s.Required {
			if _, there := given[name]; !there {
				fields[name] = valid(t, operation, s.Properties[name], nil)
			}
		}
		return fields
	case s.Type == huma.TypeArray:
		return []any{}
	case s.Type == huma.TypeBoolean:
		return false
	case s.Type == huma.TypeInteger || s.Type == huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case s.Type == huma.TypeString && s.Format == "" && strings.Contains(s.Pattern, "0-9"):
		return "1001"
	case s.Type == huma.TypeString && s.Format == "":
		least := 4
		if s.MinLength != nil {
			least = max(least, *s.MinLength)
		}
		return strings.Repeat("word", least)[:least]
	}
	require.Fail(t, "the matrix does not know what to send", "give %s an example of a value of type %s, format %s", operation, s.Type, s.Format)
	return nil
}
