package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"omnidesk/internal/account"
	"omnidesk/internal/apiclient"
	"omnidesk/internal/id"
)

// cookieName of the session. It has no __Host- prefix, so its attributes are set and tested here.
const cookieName = "__session"

// level is the least that a caller must be. The zero level lets nobody in.
type level int

const (
	nobody level = iota
	anyone
	signedIn // of any role
	user     // of a company
	admin    // of a company, or a superadmin who has entered one
	superadmin
)

// rule says who may call an operation.
type rule struct {
	least      level
	company    bool            // the session must act in a company
	department bool            // a user gets only what belongs to their departments, or to none: its handler passes departmentsOf on
	beforeSet  bool            // allowed while the password must still be changed
	unverified bool            // allowed while the address is not confirmed
	hideRefuse bool            // who may not call it is told that it does not exist
	often      bool            // stands in the audit log once in ten minutes for one person and subject
	noted      bool            // stands in the audit log although it changes nothing
	signed     apiclient.Scope // of the external API: what its client must be allowed to; no session counts
	unnoted    bool            // stays out of the audit log although it changes something: how far somebody has read
}

// table is the only place that says who may do what: every operation and every plain route by its name. What
// is missing here is refused, and a test fails.
var table = map[string]rule{
	"login":          {least: anyone},
	"logout":         {least: anyone},
	"me":             {least: signedIn, beforeSet: true, unverified: true},
	"changePassword": {least: signedIn, beforeSet: true, unverified: true},

	"loginOptions":     {least: anyone},
	"signUp":           {least: anyone},
	"askReset":         {least: anyone},
	"resetPassword":    {least: anyone},
	"showInvitation":   {least: anyone},
	"acceptInvitation": {least: anyone},
	"askVerify":        {least: signedIn, unverified: true},
	"verifyEmail":      {least: signedIn, unverified: true},
	"askEmail":         {least: signedIn},
	"changeEmail":      {least: signedIn},

	"listSessions":     {least: signedIn, unverified: true},
	"endSession":       {least: signedIn, unverified: true},
	"endOtherSessions": {least: signedIn, unverified: true},

	"listPeople":       {least: admin, company: true},
	"changePerson":     {least: admin, company: true},
	"removePerson":     {least: admin, company: true},
	"listInvitations":  {least: admin, company: true},
	"invite":           {least: admin, company: true},
	"inviteAgain":      {least: admin, company: true},
	"revokeInvitation": {least: admin, company: true},

	"listPermissions":  {least: signedIn},
	"listDepartments":  {least: admin, company: true},
	"createDepartment": {least: admin, company: true},
	"renameDepartment": {least: admin, company: true},
	"setMembers":       {least: admin, company: true},
	"deleteDepartment": {least: admin, company: true},

	"showPlatform":     {least: superadmin},
	"platformFigures":  {least: superadmin},
	"drainPlatform":    {least: superadmin},
	"resumePlatform":   {least: superadmin},
	"listSuperadmins":  {least: superadmin},
	"addSuperadmin":    {least: superadmin},
	"removeSuperadmin": {least: superadmin},

	"listCompanies": {least: superadmin},
	"enterCompany":  {least: superadmin},
	"removeDemo":    {least: admin, company: true},
	"createCompany": {least: superadmin},
	"getSettings":   {least: admin, company: true},
	"putSettings":   {least: admin, company: true},
	"getSetup":      {least: admin, company: true},
	"putSetup":      {least: admin, company: true},

	"listConnections":    {least: user, company: true, department: true},
	"createConnection":   {least: admin, company: true},
	"getConnection":      {least: user, company: true, department: true},
	"updateConnection":   {least: admin, company: true},
	"checkConnection":    {least: admin, company: true},
	"connectionLive":     {least: user, company: true, department: true},
	"connectionMessages": {least: user, company: true, department: true},

	"probeConnection":    {least: admin, company: true},
	"simulateConnection": {least: admin, company: true},
	"subscribeWebhook":   {least: admin, company: true},
	"disableConnection":  {least: admin, company: true},
	"resumeConnection":   {least: admin, company: true},
	"enableConnection":   {least: admin, company: true},
	"connectionUsage":    {least: admin, company: true},
	"deleteConnection":   {least: admin, company: true},
	"getLimits":          {least: admin, company: true},
	"putLimits":          {least: admin, company: true},

	"listContacts":  {least: user, company: true, department: true},
	"countContacts": {least: user, company: true, department: true},
	"createContact": {least: admin, company: true},
	"getContact":    {least: user, company: true},
	"updateContact": {least: admin, company: true},
	"listTags":      {least: user, company: true},

	"uploadMedia":       {least: user, company: true},
	"getMedia":          {least: user, company: true, department: true, often: true},
	"fetchMedia":        {least: user, company: true, department: true},
	"contactIdentities": {least: user, company: true},
	"mergeContacts":     {least: admin, company: true},
	"undoMerge":         {least: admin, company: true},

	"uploadImport":  {least: admin, company: true},
	"listImports":   {least: admin, company: true},
	"getImport":     {least: admin, company: true},
	"mapImport":     {least: admin, company: true},
	"startImport":   {least: admin, company: true},
	"stopImport":    {least: admin, company: true},
	"undoForecast":  {least: admin, company: true},
	"undoImport":    {least: admin, company: true},
	"discardImport": {least: admin, company: true},
	"refusedRows":   {least: admin, company: true},

	"tagContacts":       {least: admin, company: true},
	"exportContacts":    {least: admin, company: true, noted: true},
	"contactAttributes": {least: user, company: true},
	"contactTimeline":   {least: user, company: true, department: true},

	"listSegments":  {least: admin, company: true},
	"createSegment": {least: admin, company: true},
	"getSegment":    {least: admin, company: true},
	"updateSegment": {least: admin, company: true},
	"deleteSegment": {least: admin, company: true},

	"listConversations":    {least: user, company: true, department: true},
	"getConversation":      {least: user, company: true, department: true},
	"conversationMessages": {least: user, company: true, department: true},
	"answerConversation":   {least: user, company: true, department: true, often: true},
	"readConversation":     {least: user, company: true, department: true, unnoted: true},
	"setConversationState": {least: user, company: true, department: true},

	"startConversation":      {least: user, company: true, department: true},
	"assignConversation":     {least: user, company: true, department: true},
	"moveConversation":       {least: user, company: true, department: true},
	"prioritiseConversation": {least: user, company: true, department: true},
	"labelConversation":      {least: user, company: true, department: true},
	"snoozeConversation":     {least: user, company: true, department: true},
	"noteConversation":       {least: user, company: true, department: true, often: true},
	"inboxChoices":           {least: user, company: true},
	"createLabel":            {least: admin, company: true},
	"updateLabel":            {least: admin, company: true},
	"deleteLabel":            {least: admin, company: true},

	"listCampaigns":     {least: admin, company: true},
	"createCampaign":    {least: admin, company: true},
	"getCampaign":       {least: admin, company: true},
	"updateCampaign":    {least: admin, company: true, often: true},
	"deleteCampaign":    {least: admin, company: true},
	"checkDraft":        {least: admin, company: true},
	"sendTest":          {least: admin, company: true},
	"draftSamples":      {least: admin, company: true},
	"checkCampaign":     {least: admin, company: true},
	"startCampaign":     {least: admin, company: true},
	"pauseCampaign":     {least: admin, company: true},
	"resumeCampaign":    {least: admin, company: true},
	"cancelCampaign":    {least: admin, company: true},
	"duplicateCampaign": {least: admin, company: true},
	"resendCampaign":    {least: admin, company: true},
	"campaignLive":      {least: admin, company: true},
	"campaignMessages":  {least: admin, company: true},
	"campaignFailures":  {least: admin, company: true},
	"campaignCourse":    {least: admin, company: true},
	"exportCampaign":    {least: admin, company: true, noted: true},
	"messageStory":      {least: user, company: true, department: true},
	"campaignRun":       {least: admin, company: true},
	"campaignRuns":      {least: admin, company: true},
	"connectionRun":     {least: admin, company: true},
	"connectionRuns":    {least: admin, company: true},
	"getMessage":        {least: user, company: true, department: true},
	"listUncertain":     {least: admin, company: true},
	"countUncertain":    {least: admin, company: true},
	"settleUncertain":   {least: admin, company: true},
	"listEvents":        {least: admin, company: true},
	"countEvents":       {least: admin, company: true},
	"replayEvents":      {least: admin, company: true},
	"discardEvents":     {least: admin, company: true},

	"listTemplates": {least: user, company: true, department: true},
	"syncTemplates": {least: admin, company: true},

	"listAPIClients":  {least: admin, company: true},
	"createAPIClient": {least: admin, company: true},
	"getAPIClient":    {least: admin, company: true},
	"updateAPIClient": {least: admin, company: true},
	"rotateAPIClient": {least: admin, company: true},
	"revokeAPIClient": {least: admin, company: true},

	"listAudit":   {least: admin, company: true},
	"exportAudit": {least: admin, company: true, noted: true},

	"listNotices":       {least: user, company: true, department: true},
	"countNotices":      {least: user, company: true, department: true},
	"readNotice":        {least: user, company: true, department: true, unnoted: true},
	"readNotices":       {least: user, company: true, unnoted: true},
	"noticeSwitches":    {least: user, company: true},
	"putNoticeSwitches": {least: user, company: true},

	"dashboardTraffic":     {least: admin, company: true},
	"dashboardCampaigns":   {least: admin, company: true},
	"dashboardConnections": {least: admin, company: true},
	"dashboardConcerns":    {least: admin, company: true},

	"externalSend":    {least: anyone, signed: apiclient.Send},
	"externalMessage": {least: anyone, signed: apiclient.Read},
	"externalOpenapi": {least: anyone},

	"realtime":       {least: user, company: true},
	"temporalUI":     {least: superadmin, hideRefuse: true},
	"webhookMeta":    {least: anyone},
	"health":         {least: admin},
	"releaseRestore": {least: admin, company: true},
	"healthz":        {least: anyone},
	"readyz":         {least: anyone},
	"openapi":        {least: anyone},
	"docs":           {least: anyone},
}

// verdict of the table about one request.
type verdict struct {
	status int // 0: go on
	kind   string
	detail string
}

func (r rule) judge(who *account.Principal) verdict {
	switch {
	case r.least == nobody:
		return verdict{status: http.StatusNotFound, detail: "There is nothing here."}
	case r.least == anyone:
		return verdict{}
	case r.hideRefuse && (who == nil || levelOf(who) < r.least || who.User.MustChangePassword || !who.User.Verified):
		return verdict{status: http.StatusNotFound, detail: "There is nothing here."}
	case who == nil:
		return verdict{http.StatusUnauthorized, "signed-out", "Sign in first."}
	case who.User.MustChangePassword && !r.beforeSet:
		return verdict{http.StatusForbidden, "must-change-password", "Change your password first."}
	case !who.User.Verified && !r.unverified:
		return verdict{http.StatusForbidden, "unverified", "Confirm your e-mail address first; the link is in the mail that we sent you."}
	case levelOf(who) < r.least:
		return verdict{http.StatusForbidden, "not-allowed", "Your role does not allow this."}
	case r.company && who.Company == nil:
		return verdict{http.StatusForbidden, "no-company", "Enter a company first."}
	}
	return verdict{}
}

func levelOf(who *account.Principal) level {
	switch who.User.Role {
	case account.Superadmin:
		return superadmin
	case account.Admin:
		return admin
	case account.Member:
		return user
	}
	return nobody
}

type principalKey struct{}

// who returns the caller of an operation that is not public.
func who(ctx context.Context) account.Principal {
	p, _ := ctx.Value(principalKey{}).(*account.Principal)
	if p == nil {
		return account.Principal{}
	}
	return *p
}

// companyOf returns the company of the caller. The table has made sure that there is one; without it the
// database refuses the zero id.
func companyOf(ctx context.Context) id.ID {
	if company := who(ctx).Company; company != nil {
		return company.ID
	}
	return id.Nil
}

// departmentsOf returns the departments whose connections the caller may see, besides those of no department: nil, for
// all, is an admin's. Nouns put it into their statements.
func departmentsOf(ctx context.Context) []id.ID {
	caller := who(ctx)
	if levelOf(&caller) >= admin {
		return nil
	}
	return append([]id.ID{}, caller.In...)
}

// identify reads the session of a request: nil when there is none that is good.
func (s *Server) identify(r *http.Request) (*account.Principal, error) {
	cookies := r.CookiesNamed(cookieName)
	if len(cookies) != 1 || cookies[0].Value == "" {
		return nil, nil
	}
	p, err := s.logins.Authenticate(r.Context(), cookies[0].Value)
	if errors.Is(err, account.ErrNoSession) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// admit applies the table to a request and returns it with its caller, or writes why not.
func (s *Server) admit(c *gin.Context, name string) bool {
	r := table[name]
	var caller *account.Principal
	if r.least > anyone {
		var err error
		if caller, err = s.identify(c.Request); err != nil {
			s.writeProblem(c, s.problem(c.Request.Context(), name, err))
			return false
		}
	}
	if v := r.judge(caller); v.status != 0 {
		s.writeProblem(c, problemOf(v.status, v.kind, v.detail))
		return false
	}
	if caller != nil {
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), principalKey{}, caller))
	}
	return true
}

// plain registers a route outside the OpenAPI operations, under the same table.
func (s *Server) plain(name, path string, handle gin.HandlerFunc, methods ...string) {
	for _, method := range methods {
		s.routes[method+" "+path] = name
		s.engine.Handle(method, path, func(c *gin.Context) {
			if s.admit(c, name) {
				handle(c)
			}
		})
	}
}

// register adds an operation. Its errors become problems in one place, and an error of unknown kind reaches
// the log but not the caller.
func register[In, Out any](s *Server, op huma.Operation, handle func(context.Context, *In) (*Out, error)) {
	huma.Register(s.api, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, op.OperationID, err)
		}
		return out, nil
	})
}
