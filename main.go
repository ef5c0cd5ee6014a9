// Command omnidesk is the whole of OmniDesk in one program: the server, the worker, and `omnidesk dev`, which runs
// all of it on one machine. Only this package wires providers; everything below it takes interfaces.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // windows are judged in the zones of recipients, on machines that have no zone data, too

	"github.com/alecthomas/kong"

	"omnidesk/server"
)

type program struct {
	localCommands // dev and sandbox; not in release builds

	Serve   serveCommand   `cmd:"" help:"Serve the API, webhooks and the web app."`
	Work    workCommand    `cmd:"" help:"Run workflows and send messages."`
	Migrate migrateCommand `cmd:"" help:"Bring the database up to date and make the first superadmin when there is none."`
	Admin   adminCommand   `cmd:"" help:"Tools for operators."`
	Health  healthCommand  `cmd:"" help:"Ask a process on this machine whether it is well; for containers."`
	OpenAPI openAPICommand `cmd:"" name:"openapi" help:"Print the OpenAPI document of the API."`

	Version kong.VersionFlag `help:"Print the version."`
}

func main() {
	setUpLog()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, cancel) // a second Ctrl-C ends the program at once
	var p program
	command := kong.Parse(&p,
		kong.Name("omnidesk"),
		kong.Description("Multi-tenant messaging: campaigns, one inbox, and a ledger that is always true."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version()},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "omnidesk:", err)
		os.Exit(1)
	}
}

// version is the module's version or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value[:min(12, len(setting.Value))]
		}
	}
	return info.Main.Version
}

type openAPICommand struct{}

// Run prints the same bytes for the same code.
func (openAPICommand) Run() error {
	document, err := server.OpenAPI()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(document)
	return err
}
