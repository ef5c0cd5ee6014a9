package server

import (
	"sync"
	"time"

	"omnidesk/internal/campaign"
	"omnidesk/internal/id"
	"omnidesk/internal/send"
)

// Template names an approved template and fills its body parameters.
type Template struct {
	Name       string   `json:"name" minLength:"1" maxLength:"512"`
	Language   string   `json:"language" minLength:"2" maxLength:"16"`
	Parameters []string `json:"parameters,omitempty" maxItems:"50" doc:"may hold merge fields such as {{first_name|friend}}"`
}

// Content is what a campaign says: a template or free text.
type Content struct {
	Kind     string    `json:"kind" enum:"template,text"`
	Template *Template `json:"template,omitempty"`
	Text     string    `json:"text,omitempty" maxLength:"4096" doc:"may hold merge fields; only for contacts whose 24-hour window is open"`
}

// Audience chooses contacts by exactly one of its fields; a segment's campaign also tells the segment's filter.
type Audience struct {
	All       bool     `json:"all,omitempty" doc:"everyone"`
	TagIDs    []string `json:"tag_ids,omitempty" maxItems:"100" doc:"with at least one of these tags"`
	SegmentID string   `json:"segment_id,omitempty" doc:"in this segment when the campaign starts"`
	Filter    string   `json:"filter,omitempty" maxLength:"8000" doc:"for whom this filter holds; of a segment: what it said when the campaign was frozen"`
	ImportID  string   `json:"import_id,omitempty" doc:"whom this import added or updated"`

	FailedOf    string  `json:"failed_of,omitempty" doc:"whose message of this campaign has failed when the new one starts; uncertain ones are never among them"`
	FailedCodes []int32 `json:"failed_codes,omitempty" maxItems:"100" doc:"with failed_of: only with one of these codes of the provider's; 0: it gave none"`
}

// CampaignInput is a new draft.
type CampaignInput struct {
	Name         string     `json:"name" minLength:"1" maxLength:"200"`
	ConnectionID string     `json:"connection_id" format:"uuid"`
	Content      Content    `json:"content"`
	Audience     Audience   `json:"audience"`
	StartsAt     *time.Time `json:"starts_at,omitempty"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty"`
}

// CampaignPatch changes some fields of a draft.
type CampaignPatch struct {
	Version      int                 `json:"version" minimum:"1" doc:"the version it has seen"`
	Name         *string             `json:"name,omitempty" minLength:"1" maxLength:"200" nullable:"false"`
	ConnectionID *string             `json:"connection_id,omitempty" format:"uuid" nullable:"false"`
	Content      *Content            `json:"content,omitempty"`
	Audience     *Audience           `json:"audience,omitempty"`
	StartsAt     Optional[time.Time] `json:"starts_at,omitempty"`
	ExpiresAt    Optional[time.Time] `json:"expires_at,omitempty"`
}

// Skipped counts contacts of the audience that are left out.
type Skipped struct {
	OptedOut   int `json:"opted_out"`
	NoPhone    int `json:"no_phone"`
	WindowShut int `json:"window_shut"`
}

// Counts of a campaign's recipients by the present state of their message. Their sum is recipients.
type Counts struct {
	Planned    int `json:"planned" doc:"frozen, but not in the ledger yet"`
	Queued     int `json:"queued"`
	Sending    int `json:"sending"`
	Sent       int `json:"sent"`
	Delivered  int `json:"delivered"`
	Read       int `json:"read"`
	Failed     int `json:"failed"`
	Uncertain  int `json:"uncertain"`
	Canceled   int `json:"canceled"`
	Expired    int `json:"expired"`
	Suppressed int `json:"suppressed"`
}

// Campaign as it stands.
type Campaign struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	ConnectionID   string     `json:"connection_id"`
	ConnectionName string     `json:"connection_name"`
	State          string     `json:"state" enum:"draft,starting,scheduled,running,paused,finished,canceled"`
	StateDetail    string     `json:"state_detail"`
	PausedCode     *int       `json:"paused_code,omitempty" doc:"the provider's code that paused it; absent when a person did"`
	ResumesAt      *time.Time `json:"resumes_at,omitempty" doc:"when a paused one goes on by itself; absent: when a person resumes it"`
	Content        Content    `json:"content"`
	Audience       Audience   `json:"audience"`
	AudienceName   string     `json:"audience_name" doc:"of the audience's segment, imported file or campaign; empty when it names none, or one that is gone; with one campaign only, not in lists"`
	StartsAt       *time.Time `json:"starts_at,omitempty"`
	ExpiresAt      *time.Time `json:"expires_at,omitempty"`
	Version        int        `json:"version"`
	Recipients     int        `json:"recipients"`
	Skipped        Skipped    `json:"skipped"`
	CreatedAt      time.Time  `json:"created_at"`
	FrozenAt       *time.Time `json:"frozen_at,omitempty"`
	StartedAt      *time.Time `json:"started_at,omitempty"`
	FinishedAt     *time.Time `json:"finished_at,omitempty"`
	ChangedAt      *time.Time `json:"changed_at,omitempty" doc:"when a person last wrote the draft"`
	ChangedBy      string     `json:"changed_by" doc:"that person's name; empty when it is not of this company"`
	Counts         Counts     `json:"counts"`
	Replied        int        `json:"replied" doc:"recipients who wrote on the same connection within 72 hours after their message was sent, each once and for the newest campaign that wrote to them"`
	RatePerS       *float64   `json:"rate_per_s,omitempty" doc:"of late, while it runs"`
	FinishAt       *time.Time `json:"finish_at,omitempty" doc:"as windows and limits let it go on, at the rate of late; absent: nobody can know"`
	Waits          []Waiting  `json:"waits" doc:"why messages of it do not go now; empty when all that are left may"`
}

// Waiting is one reason why messages of a campaign do not go now, in words.
type Waiting struct {
	Kind  string     `json:"kind" enum:"temporal,workers,restore,connection,limits,window,retry" doc:"temporal and workers: nothing of the platform's work goes on · restore and connection: nothing is sent on the connection · limits: those of the connection are used up · window: the clocks of some recipients · retry: the provider asked for, or needs, another try"`
	Words string     `json:"words" doc:"a sentence"`
	Count int        `json:"count" doc:"recipients that it keeps waiting; 0: all that are left"`
	Until *time.Time `json:"until,omitempty" doc:"absent: nobody knows"`
}

// CampaignList is one page.
type CampaignList struct {
	Items      []Campaign `json:"items"`
	NextCursor string     `json:"next_cursor" doc:"empty on the last page"`
}

// CheckProblem is one thing that keeps a campaign from starting.
type CheckProblem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// CheckWarning is something that does not keep a campaign from starting and a person should know.
type CheckWarning struct {
	Field   string `json:"field"`
	Message string `json:"message"`
	Count   int    `json:"count" doc:"contacts it is about"`
	Filter  string `json:"filter" doc:"finds them among the contacts; empty when no filter can"`
}

// CheckSample is what one contact would get.
type CheckSample struct {
	ContactID string   `json:"contact_id"`
	Name      string   `json:"name"`
	Phone     string   `json:"phone"`
	Text      string   `json:"text"`
	Lacking   []string `json:"lacking" doc:"merge fields without a value and without a default"`
}

// Check is what a start would do.
type Check struct {
	Recipients int            `json:"recipients"`
	Outside    int            `json:"outside_window" doc:"of the recipients, those without an open 24-hour window"`
	FirstAt    *time.Time     `json:"first_at,omitempty" doc:"when the first message may go, by the recipients' clocks; absent when nobody is chosen"`
	Asleep     int            `json:"asleep" doc:"of the recipients, those whose hours begin later than that"`
	Skipped    Skipped        `json:"skipped"`
	Problems   []CheckProblem `json:"problems"`
	Warnings   []CheckWarning `json:"warnings"`
	Samples    []CheckSample  `json:"samples"`
}

// DraftInput is a draft that need not be saved, or whole.
type DraftInput struct {
	ConnectionID string     `json:"connection_id" format:"uuid"`
	Content      Content    `json:"content"`
	Audience     Audience   `json:"audience"`
	StartsAt     *time.Time `json:"starts_at,omitempty"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty"`
}

// SampleList is one page of what contacts would get.
type SampleList struct {
	Items      []CheckSample `json:"items"`
	NextCursor string        `json:"next_cursor" doc:"empty on the last page"`
}

func checkView(r campaign.CheckResult) Check {
	view := Check{Recipients: r.Recipients, Outside: r.Outside, Skipped: Skipped(r.Skipped), FirstAt: utc(&r.FirstAt), Asleep: r.Asleep,
		Problems: []CheckProblem{}, Warnings: []CheckWarning{}, Samples: samplesView(r.Samples)}
	for _, p := range r.Problems {
		view.Problems = append(view.Problems, CheckProblem(p))
	}
	for _, w := range r.Warnings {
		view.Warnings = append(view.Warnings, CheckWarning(w))
	}
	return view
}

func samplesView(samples []campaign.Sample) []CheckSample {
	views := make([]CheckSample, len(samples))
	for i, one := range samples {
		views[i] = CheckSample{one.Contact.String(), one.Name, one.Phone, one.Text, append([]string{}, one.Lacking...)}
	}
	return views
}

func audienceView(a campaign.Audience) Audience {
	view := Audience{All: a.All, Filter: a.Filter}
	for _, tag := range a.TagIDs {
		view.TagIDs = append(view.TagIDs, tag.String())
	}
	if a.SegmentID != nil {
		view.SegmentID = a.SegmentID.String()
	}
	if a.ImportID != nil {
		view.ImportID = a.ImportID.String()
	}
	if a.FailedOf != nil {
		view.FailedOf, view.FailedCodes = a.FailedOf.String(), a.FailedCodes
	}
	return view
}

func (s *Server) campaignView(c campaign.Campaign, n send.Counts) Campaign {
	view := Campaign{ID: c.ID.String(), Name: c.Name, ConnectionID: c.Connection.String(), ConnectionName: c.ConnectionName,
		State: string(c.State), StateDetail: c.StateDetail, PausedCode: c.PausedCode, ResumesAt: utc(c.ResumesAt), Content: contentView(c.Content), Audience: audienceView(c.Audience),
		StartsAt: utc(c.StartsAt), ExpiresAt: utc(c.ExpiresAt), Version: c.Version, Recipients: c.Recipients, Skipped: Skipped(c.Skipped),
		CreatedAt: c.CreatedAt.UTC(), FrozenAt: utc(c.FrozenAt), StartedAt: utc(c.StartedAt), FinishedAt: utc(c.FinishedAt),
		ChangedAt: utc(c.ChangedAt), ChangedBy: c.ChangedBy, Waits: []Waiting{}}
	view.Counts = Counts{Planned: max(c.Recipients-n.Total(), 0), Queued: n.Queued, Sending: n.Sending, Sent: n.Sent, Delivered: n.Delivered,
		Read: n.Read, Failed: n.Failed, Uncertain: n.Uncertain, Canceled: n.Canceled, Expired: n.Expired, Suppressed: n.Suppressed}
	view.Replied = n.Replied
	if c.State == campaign.Running {
		if rate, known := s.rates.observe(c.ID, s.now(), c.Recipients-view.Counts.Planned-n.Open()); known {
			view.RatePerS = &rate
		}
	}
	return view
}

func contentView(c campaign.Content) Content {
	view := Content{Kind: c.Kind, Text: c.Text}
	if c.Template != nil {
		view.Template = &Template{Name: c.Template.Name, Language: c.Template.Language, Parameters: c.Template.Parameters}
	}
	return view
}

// rates remember, for campaigns that people look at, how many recipients were done when. It is a display only:
// a restart forgets it and the rate appears again at the second look.
type rates struct {
	mu       sync.Mutex
	seen     map[id.ID][]look
	last     map[id.ID]float64 // the last rate above 0
	outlooks map[id.ID]outlook
}

// outlook is when a campaign finishes and what it waits for, as it looked at an instant.
type outlook struct {
	made   time.Time
	finish *time.Time // nil: nobody knew
	waits  []Waiting
}

// outlookFor is how long an outlook serves.
const outlookFor = 3 * time.Second

type look struct {
	at   time.Time
	done int
}

const (
	rateWindow  = 30 * time.Second
	rateGap     = time.Second
	mostWatched = 10_000
)

func newRates() *rates {
	return &rates{seen: map[id.ID][]look{}, last: map[id.ID]float64{}, outlooks: map[id.ID]outlook{}}
}

// lately is the last rate that was above 0, in messages a second; 0: none was seen.
func (r *rates) lately(campaign id.ID) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last[campaign]
}

func (r *rates) outlook(campaign id.ID, now time.Time) (kept outlook, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, known := r.outlooks[campaign]
	return kept, known && now.Sub(kept.made) <= outlookFor && !kept.made.After(now)
}

func (r *rates) keepOutlook(campaign id.ID, o outlook) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outlooks[campaign] = o
}

// forgetOutlook is for who changes what the campaign does.
func (r *rates) forgetOutlook(campaign id.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.outlooks, campaign)
}

// observe adds a look and returns the rate over the last half minute; known is false before there are two
// looks at least a second apart.
func (r *rates) observe(campaign id.ID, now time.Time, done int) (perSecond float64, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) >= mostWatched {
		clear(r.seen)
		clear(r.last)
		clear(r.outlooks)
	}
	looks := r.seen[campaign]
	for len(looks) > 1 && now.Sub(looks[1].at) > rateWindow {
		looks = looks[1:]
	}
	if len(looks) > 0 && now.Sub(looks[0].at) > 4*rateWindow {
		looks = nil // nobody looked for long; a pause may lie between
	}
	if len(looks) == 0 || now.Sub(looks[len(looks)-1].at) >= rateGap {
		looks = append(looks, look{now, done})
	}
	r.seen[campaign] = looks
	elapsed := now.Sub(looks[0].at)
	if elapsed < rateGap {
		return 0, false
	}
	perSecond = float64(max(done-looks[0].done, 0)) / elapsed.Seconds()
	if perSecond > 0 {
		r.last[campaign] = perSecond
	}
	return perSecond, true
}
