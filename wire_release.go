//go:build release

package main

// localCommands is empty: a release has no sandbox, and so nothing to run whole on one machine.
type localCommands struct{}
