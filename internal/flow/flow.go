// Package flow is the contract between workflows, activities and everybody who starts or asks them: names,
// ids, inputs and results. It is a leaf: it imports nothing of OmniDesk but id.
//
// Nothing here may carry a text, a name or a phone number. Ids, counts and instants only.
package flow

import (
	"time"

	"omnidesk/internal/id"
)

// Workflow names a kind of workflow.
type Workflow string

// The workflows.
const (
	CampaignWorkflow Workflow = "campaign" // one campaign from start to finish
	SenderWorkflow   Workflow = "sender"   // the only one that sends on a connection, while there is work
	ImportWorkflow   Workflow = "import"   // one file of contacts, from the upload to the end or an undo
	MailWorkflow     Workflow = "mail"     // one mail, until it has left
	MediaWorkflow    Workflow = "media"    // files of one connection on their way to and from its provider, while there are any
	DigestWorkflow   Workflow = "digest"   // what one person is told by mail, while something waits to be told

	ConversationWorkflow Workflow = "conversation" // one conversation that is asleep until an instant
)

// Target is one workflow: its kind and the row it is about.
type Target struct {
	Workflow Workflow
	Subject  id.ID
}

// Campaign names the workflow of a campaign.
func Campaign(campaign id.ID) Target { return Target{CampaignWorkflow, campaign} }

// Sender names the workflow of a connection.
func Sender(connection id.ID) Target { return Target{SenderWorkflow, connection} }

// Import names the workflow of an import.
func Import(of id.ID) Target { return Target{ImportWorkflow, of} }

// Mail names the workflow of a mail.
func Mail(of id.ID) Target { return Target{MailWorkflow, of} }

// Digest names the workflow that mails notices to a person.
func Digest(user id.ID) Target { return Target{DigestWorkflow, user} }

// Conversation names the workflow of a conversation.
func Conversation(of id.ID) Target { return Target{ConversationWorkflow, of} }

// Media names the workflow that moves a connection's files.
func Media(connection id.ID) Target { return Target{MediaWorkflow, connection} }

// WorkflowID returns the id in Temporal, noun/uuid.
func (t Target) WorkflowID() string { return string(t.Workflow) + "/" + t.Subject.String() }

// Task queues. Sending has its own, so that a slow freeze never holds a page back.
const (
	WorkflowQueue = "workflows"
	WorkQueue     = "work"   // short activities: freeze, feed, finish
	SendQueue     = "send"   // pages of sends
	UrgentQueue   = "urgent" // urgent sends, beside the pages
	MediaQueue    = "media"  // files on their way
)

// WokenSignal means "look again" and nothing else.
const WokenSignal = "woken"

// StateQuery returns Live.
const StateQuery = "state"

// Names of activities.
const (
	LookAtCampaign = "LookAtCampaign"
	FreezeAudience = "FreezeAudience"
	BeginCampaign  = "BeginCampaign"
	FeedCampaign   = "FeedCampaign"
	FinishCampaign = "FinishCampaign"
	CancelQueued   = "CancelQueued"
	LookAtSender   = "LookAtSender"
	SendPage       = "SendPage"
	SendUrgent     = "SendUrgent"
	LookAtImport   = "LookAtImport"
	CheckImport    = "CheckImport"
	RunImport      = "RunImport"
	UndoImport     = "UndoImport"
	DiscardImport  = "DiscardImport"
	SendMail       = "SendMail"
	LookAtDigest   = "LookAtDigest"
	SendDigest     = "SendDigest"

	LookAtConversation = "LookAtConversation"
	RouseConversation  = "RouseConversation"
	LookAtMedia        = "LookAtMedia"
	MoveMedia          = "MoveMedia"
)

// Ref is the input of every workflow and activity about one row of one company.
type Ref struct {
	Company id.ID
	Subject id.ID
}

// Step is what a look found to do next.
type Step string

// The steps. Each workflow knows those it can meet.
const (
	StepFreeze Step = "freeze"
	StepBegin  Step = "begin"
	StepFeed   Step = "feed"
	StepFinish Step = "finish"
	StepCancel Step = "cancel"
	StepPage   Step = "page"
	StepWait   Step = "wait"
	StepEnd    Step = "end"

	StepCheck   Step = "check"
	StepImport  Step = "import"
	StepUndo    Step = "undo"
	StepDiscard Step = "discard"

	StepMail Step = "mail"

	StepRouse Step = "rouse"
	StepMove  Step = "move"
)

// Look is the verdict of a look at the rows. All that depends on a clock, a zone or a limit is decided in the
// activity that made it, so that a change there never breaks a replay.
type Look struct {
	Step       Step
	State      string    // of the row, for the search attribute
	Reason     string    // why it waits or what it does, in words of ours
	Until      time.Time // with StepWait: look again then at the latest; zero: wait for a wake
	Unfed      bool      // a campaign's plan is not in the ledger completely
	Connection id.ID     // the one a campaign sends on, for the search attribute
	Urgent     bool      // a sender has urgent messages to send now, beside its page
	UrgentAt   time.Time // a sender has urgent messages from then on; zero: none that wait for an instant
}

// FeedResult tells what one feed activity did.
type FeedResult struct {
	Fed int
}

// PageResult tells what one page or one urgent run did. Counts are of messages.
type PageResult struct {
	Sent      int
	Failed    int
	Uncertain int
	Retried   int // given back to the queue
}

// Live is the answer of StateQuery: what a workflow is doing now.
type Live struct {
	State  string    `json:"state"`
	Doing  Step      `json:"doing"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Sent   int       `json:"sent"`
}
