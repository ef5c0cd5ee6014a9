package server

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"omnidesk/internal/audit"
	"omnidesk/internal/campaign"
	"omnidesk/internal/channel"
	"omnidesk/internal/contact"
	"omnidesk/internal/id"
	"omnidesk/internal/postgres"
	"omnidesk/internal/realtime"
	"omnidesk/internal/send"
)

type campaignsIn struct {
	PageQuery
	State string `query:"state" enum:"draft,starting,scheduled,running,paused,finished,canceled"`
}

type campaignIn struct{ Body CampaignInput }

type campaignPatchIn struct {
	IDPath
	Body CampaignPatch
}

type resendIn struct {
	IDPath
	Body struct {
		Codes []int32 `json:"codes,omitempty" maxItems:"100" doc:"only those that failed with one of these codes; 0: the provider gave none; without codes: all"`
	}
}

const campaignBody = 256 << 10

func (s *Server) campaignRoutes() {
	register(s, op("listCampaigns", http.MethodGet, "/campaigns", "campaigns", "Campaigns, newest first"), s.listCampaigns)
	register(s, op("createCampaign", http.MethodPost, "/campaigns", "campaigns", "Add a draft", status(http.StatusCreated), body(campaignBody)), s.createCampaign)
	register(s, op("getCampaign", http.MethodGet, "/campaigns/{id}", "campaigns", "One campaign with a count per state"), s.getCampaign)
	register(s, op("updateCampaign", http.MethodPatch, "/campaigns/{id}", "campaigns", "Change a draft", body(campaignBody),
		describe("Names the version it has seen; 409 when somebody else was quicker or it is no draft any more.")), s.updateCampaign)
	register(s, op("deleteCampaign", http.MethodDelete, "/campaigns/{id}", "campaigns", "Delete a draft", status(http.StatusNoContent)), s.deleteCampaign)
	register(s, op("checkDraft", http.MethodPost, "/campaigns/check", "campaigns", "What a start would do, of a draft that need not be saved", body(campaignBody)), s.checkDraft)
	register(s, op("draftSamples", http.MethodPost, "/campaigns/samples", "campaigns", "What contacts of an audience would get, one after another", body(campaignBody)), s.draftSamples)
	register(s, op("duplicateCampaign", http.MethodPost, "/campaigns/{id}/duplicate", "campaigns", "A new draft with the same content and audience", status(http.StatusCreated)), s.duplicateCampaign)
	register(s, op("resendCampaign", http.MethodPost, "/campaigns/{id}/resend", "campaigns", "A new draft for those whose message failed", status(http.StatusCreated),
		describe("Nothing is sent before the draft is started; who is in it is decided then. Uncertain messages are never sent again this way.")), s.resendCampaign)
	register(s, op("checkCampaign", http.MethodPost, "/campaigns/{id}/check", "campaigns", "What a start would do"), s.checkCampaign)
	for _, c := range []struct {
		name, path, summary, means string
		do                         func(context.Context, postgres.Tx, id.ID, campaign.Campaign) error
	}{
		{"startCampaign", "start", "Start a campaign", "Only a draft; now, or at the time it is set to.", s.start},
		{"pauseCampaign", "pause", "Pause a campaign", "Once answered, nothing more is claimed.", s.pause},
		{"resumeCampaign", "resume", "Resume a campaign", "It goes on where it was paused.", s.resume},
		{"cancelCampaign", "cancel", "Cancel a campaign", "It ends for good; what is queued is not sent.", s.cancel},
	} {
		register(s, op(c.name, http.MethodPost, "/campaigns/{id}/"+c.path, "campaigns", c.summary, describe(c.means)),
			func(ctx context.Context, in *IDPath) (*Out[Campaign], error) { return s.command(ctx, in, c.do) })
	}
}

func (s *Server) listCampaigns(ctx context.Context, in *campaignsIn) (*Out[CampaignList], error) {
	before, err := in.after(contact.First)
	if err != nil {
		return nil, err
	}
	company, list := companyOf(ctx), CampaignList{Items: []Campaign{}}
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.List(ctx, tx, company, before, campaign.State(in.State), in.Limit+1)
		if err != nil {
			return err
		}
		if len(found) > in.Limit {
			found = found[:in.Limit]
			list.NextCursor = cursorOf(found[len(found)-1].ID)
		}
		ids := make([]id.ID, len(found))
		for i, c := range found {
			ids[i] = c.ID
		}
		counts, err := send.CountsOf(ctx, tx, company, ids...)
		if err != nil {
			return err
		}
		for _, c := range found {
			view := s.campaignView(c, counts[c.ID])
			if err := s.lookAhead(ctx, tx, company, c, counts[c.ID], &view); err != nil {
				return err
			}
			list.Items = append(list.Items, view)
		}
		return nil
	})
	return out(list), err
}

func (s *Server) createCampaign(ctx context.Context, in *campaignIn) (*Out[Campaign], error) {
	b := in.Body
	fields, err := fieldsOf(b.Name, b.ConnectionID, b.Content, b.Audience)
	if err != nil {
		return nil, err
	}
	fields.StartsAt, fields.ExpiresAt, fields.By = utc(b.StartsAt), utc(b.ExpiresAt), who(ctx).User.ID
	if err := checkTimes(fields); err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var made campaign.Campaign
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		made, err = campaign.Create(ctx, tx, company, fields)
		audit.About(ctx, made.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(company, realtime.Campaign, made.ID)
	return out(s.campaignView(made, send.Counts{})), nil
}

func (s *Server) duplicateCampaign(ctx context.Context, in *IDPath) (*Out[Campaign], error) {
	return s.again(ctx, in, func(tx postgres.Tx, c campaign.Campaign) (campaign.Campaign, error) {
		return campaign.Duplicate(ctx, tx, companyOf(ctx), c, who(ctx).User.ID)
	})
}

func (s *Server) resendCampaign(ctx context.Context, in *resendIn) (*Out[Campaign], error) {
	return s.again(ctx, &in.IDPath, func(tx postgres.Tx, c campaign.Campaign) (campaign.Campaign, error) {
		failures, err := send.FailuresOf(ctx, tx, companyOf(ctx), c.ID)
		if err != nil {
			return c, err
		}
		if !slices.ContainsFunc(failures, func(f send.Failure) bool {
			return len(in.Body.Codes) == 0 || slices.Contains(in.Body.Codes, int32(f.Code))
		}) {
			return c, unfit("codes", "no message has failed with one of these codes; there is nobody to send to again")
		}
		return campaign.SendAgain(ctx, tx, companyOf(ctx), c, in.Body.Codes, who(ctx).User.ID)
	})
}

// again makes a draft of a campaign.
func (s *Server) again(ctx context.Context, in *IDPath, do func(postgres.Tx, campaign.Campaign) (campaign.Campaign, error)) (*Out[Campaign], error) {
	var made campaign.Campaign
	err := s.inCampaign(ctx, in, func(tx postgres.Tx, c campaign.Campaign) (err error) {
		made, err = do(tx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(companyOf(ctx), realtime.Campaign, made.ID)
	return out(s.campaignView(made, send.Counts{})), nil
}

func (s *Server) getCampaign(ctx context.Context, in *IDPath) (*Out[Campaign], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var view Campaign
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		view, err = s.readCampaign(ctx, tx, company, wanted)
		return err
	})
	return out(view), err
}

func (s *Server) readCampaign(ctx context.Context, tx postgres.Tx, company, wanted id.ID) (Campaign, error) {
	found, err := campaign.Get(ctx, tx, company, wanted)
	if err != nil {
		return Campaign{}, err
	}
	counts, err := send.CountsOf(ctx, tx, company, wanted)
	if err != nil {
		return Campaign{}, err
	}
	view := s.campaignView(found, counts[wanted])
	if view.AudienceName, err = campaign.AudienceName(ctx, tx, company, found.Audience); err != nil {
		return Campaign{}, err
	}
	return view, s.lookAhead(ctx, tx, company, found, counts[wanted], &view)
}

func (s *Server) updateCampaign(ctx context.Context, in *campaignPatchIn) (*Out[Campaign], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var changed campaign.Campaign
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		fields, err := in.Body.apply(found.Fields)
		if err != nil {
			return err
		}
		fields.By = who(ctx).User.ID
		changed, err = campaign.Update(ctx, tx, company, wanted, in.Body.Version, fields)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(company, realtime.Campaign, wanted)
	return out(s.campaignView(changed, send.Counts{})), nil
}

func (s *Server) deleteCampaign(ctx context.Context, in *IDPath) (*struct{}, error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error { return campaign.Delete(ctx, tx, company, wanted) })
	if err != nil {
		return nil, err
	}
	s.changed(company, realtime.Campaign, wanted)
	return nil, nil
}

func (s *Server) checkCampaign(ctx context.Context, in *IDPath) (*Out[Check], error) {
	wanted, err := in.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var result campaign.CheckResult
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) error {
		found, err := campaign.Get(ctx, tx, company, wanted)
		if err != nil {
			return err
		}
		result, err = campaign.Check(ctx, tx, company, found.Fields, s.now())
		return err
	})
	return out(checkView(result)), err
}

type draftIn struct{ Body DraftInput }

type samplesIn struct {
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" default:"10" minimum:"1" maximum:"50"`
	Body   DraftInput
}

// read takes the content as it is: what is missing there is a problem for the check to name.
func (d DraftInput) read() (fields campaign.Fields, err error) {
	if fields.Connection, err = idIn("connection_id", d.ConnectionID); err != nil {
		return fields, err
	}
	fields.Content, fields.StartsAt, fields.ExpiresAt = d.Content.asGiven(), utc(d.StartsAt), utc(d.ExpiresAt)
	fields.Audience, err = d.Audience.read()
	return fields, err
}

func (s *Server) checkDraft(ctx context.Context, in *draftIn) (*Out[Check], error) {
	fields, err := in.Body.read()
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var result campaign.CheckResult
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		result, err = campaign.Check(ctx, tx, company, fields, s.now())
		return err
	})
	return out(checkView(result)), err
}

func (s *Server) draftSamples(ctx context.Context, in *samplesIn) (*Out[SampleList], error) {
	fields, err := in.Body.read()
	if err != nil {
		return nil, err
	}
	after, err := PageQuery{Cursor: in.Cursor}.after(id.Nil)
	if err != nil {
		return nil, err
	}
	company := companyOf(ctx)
	var found []campaign.Sample
	err = s.DB.InCompany(ctx, company, func(tx postgres.Tx) (err error) {
		found, err = campaign.Samples(ctx, tx, company, fields, s.now(), after, in.Limit+1)
		return err
	})
	list := SampleList{Items: []CheckSample{}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		list.NextCursor = cursorOf(found[in.Limit-1].Contact)
	}
	list.Items = samplesView(found)
	return out(list), err
}

// fieldsOf checks what a schema can't say.
func fieldsOf(name, connectionID string, content Content, audience Audience) (campaign.Fields, error) {
	fields := campaign.Fields{Name: strings.TrimSpace(name)}
	if fields.Name == "" {
		return fields, unfit("name", "is empty")
	}
	var err error
	if fields.Connection, err = idIn("connection_id", connectionID); err != nil {
		return fields, err
	}
	if fields.Content, err = content.read(); err != nil {
		return fields, err
	}
	fields.Audience, err = audience.read()
	return fields, err
}

// read takes a draft without its template or text: it is kept while it is being written, and a start names what is missing.
func (c Content) read() (campaign.Content, error) {
	content := c.asGiven()
	switch {
	case c.Kind == campaign.KindTemplate && c.Text != "":
		return content, unfit("content.text", "goes with kind text only")
	case c.Kind == campaign.KindText && c.Template != nil:
		return content, unfit("content.template", "goes with kind template only")
	}
	return content, nil
}

func (c Content) asGiven() campaign.Content {
	content := campaign.Content{Kind: c.Kind, Text: c.Text}
	if c.Template != nil {
		content.Template = &channel.Template{Name: c.Template.Name, Language: c.Template.Language, Parameters: c.Template.Parameters}
	}
	return content
}

func (a Audience) read() (campaign.Audience, error) {
	audience := campaign.Audience{All: a.All}
	chosen := 0
	for _, given := range []bool{a.All, len(a.TagIDs) > 0, a.SegmentID != "", a.ImportID != "", a.FailedOf != "", a.Filter != "" && a.SegmentID == ""} {
		if given {
			chosen++
		}
	}
	if chosen != 1 {
		return audience, unfit("audience", `choose one: everyone, {"all":true}, at least one tag, {"tag_ids":["…"]}, a segment_id, a filter, an import_id or failed_of`)
	}
	var err error
	for _, text := range a.TagIDs {
		tag, err := idIn("audience.tag_ids", text)
		if err != nil {
			return audience, err
		}
		if !slices.Contains(audience.TagIDs, tag) {
			audience.TagIDs = append(audience.TagIDs, tag)
		}
	}
	if audience.SegmentID, err = optionalID("audience.segment_id", a.SegmentID); err != nil {
		return audience, err
	}
	if audience.ImportID, err = optionalID("audience.import_id", a.ImportID); err != nil {
		return audience, err
	}
	if audience.FailedOf, err = optionalID("audience.failed_of", a.FailedOf); err != nil {
		return audience, err
	}
	if len(a.FailedCodes) > 0 && audience.FailedOf == nil {
		return audience, unfit("audience.failed_codes", "goes with failed_of only")
	}
	if len(a.FailedCodes) > 0 {
		audience.FailedCodes = a.FailedCodes
	}
	if a.SegmentID == "" {
		audience.Filter = a.Filter
	}
	return audience, nil
}

func optionalID(field, value string) (*id.ID, error) {
	if value == "" {
		return nil, nil
	}
	parsed, err := idIn(field, value)
	return &parsed, err
}

// apply lays the sent fields over those that the draft has.
func (p CampaignPatch) apply(fields campaign.Fields) (campaign.Fields, error) {
	var err error
	if p.Name != nil {
		if fields.Name = strings.TrimSpace(*p.Name); fields.Name == "" {
			return fields, unfit("name", "is empty")
		}
	}
	if p.ConnectionID != nil {
		if fields.Connection, err = idIn("connection_id", *p.ConnectionID); err != nil {
			return fields, err
		}
	}
	if p.Content != nil {
		if fields.Content, err = p.Content.read(); err != nil {
			return fields, err
		}
	}
	if p.Audience != nil {
		if fields.Audience, err = p.Audience.read(); err != nil {
			return fields, err
		}
	}
	if p.StartsAt.Sent {
		fields.StartsAt = utc(p.StartsAt.Value)
	}
	if p.ExpiresAt.Sent {
		fields.ExpiresAt = utc(p.ExpiresAt.Value)
	}
	return fields, checkTimes(fields)
}

func checkTimes(fields campaign.Fields) error {
	earliest, latest := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, at := range map[string]*time.Time{"starts_at": fields.StartsAt, "expires_at": fields.ExpiresAt} {
		if at != nil && (at.Before(earliest) || at.After(latest)) {
			return unfit(name, "is not an instant between the years 2000 and 2200")
		}
	}
	if fields.StartsAt != nil && fields.ExpiresAt != nil && !fields.ExpiresAt.After(*fields.StartsAt) {
		return unfit("expires_at", "must be after starts_at")
	}
	return nil
}
