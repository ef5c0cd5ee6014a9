package main

import (
	common "go.temporal.io/api/common/v1"
)

func execution(workflow string) *common.WorkflowExecution {
	return &common.WorkflowExecution{WorkflowId: workflow}
}

// quiet keeps the SDK's remarks out of the way; what fails comes back as an error.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
