//go:build !mutants

// Package mutant brings known bugs back, one at a time, in builds with the tag mutants, so that the tests that
// should catch them can be seen to do so (make chaos-mutants). In every other build all of it is constant and
// false, and the compiler leaves it out.
package mutant

// The bugs.
const (
	BlindRetry              = false // a send whose outcome is unknown is sent again
	MarkBeforeSend          = false // a message counts as sent before the provider was asked
	AcknowledgeBeforeInsert = false // a webhook is answered before its statuses are stored
	RetryUncertain          = false // claims without an owner go back to the queue
	ForgetTakes             = false // limits don't know what was taken
	ForgetContacts          = false // the tier does not know who was written to
)

// Schema is SQL that damages the schema after a migration.
func Schema() string { return "" }
