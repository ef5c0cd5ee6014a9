package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

// prepareNamespace makes the namespace with its search attributes and returns once workflows can be listed by them.
// The server keeps namespaces and attributes in caches, so each step is tried until it holds or ctx ends.
func prepareNamespace(ctx context.Context, s settings) error {
	c, err := client.NewLazyClient(client.Options{
		HostPort: s.address(s.Ports.Frontend), Namespace: s.Namespace, Logger: silent{},
	})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	defer c.Close()
	attributes, filter, err := searchAttributes(s.SearchAttributes)
	if err != nil {
		return err
	}
	steps := []struct {
		doing string
		run   func() error
	}{
		{"registering the namespace", func() error { return register(ctx, c, s) }},
		{"adding search attributes", func() error { return addAttributes(ctx, c, s.Namespace, attributes) }},
		{"listing workflows", func() error {
			_, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1, Query: filter})
			return err
		}},
	}
	for _, step := range steps {
		if err := until(ctx, step.run); err != nil {
			return fmt.Errorf("%s: %w", step.doing, err)
		}
	}
	return nil
}

// searchAttributes also returns a filter that names every attribute, so that a list proves all of them.
func searchAttributes(names map[string]string) (map[string]enums.IndexedValueType, string, error) {
	attributes := make(map[string]enums.IndexedValueType, len(names))
	filter := ""
	for name, kind := range names {
		value, err := enums.IndexedValueTypeFromString(kind)
		if err != nil {
			return nil, "", fmt.Errorf("search attribute %s: %w", name, err)
		}
		attributes[name] = value
		if filter != "" {
			filter += " AND "
		}
		filter += name + " IS NULL"
	}
	return attributes, filter, nil
}

func register(ctx context.Context, c client.Client, s settings) error {
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: s.Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(s.Retention),
	})
	if _, exists := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); exists {
		return nil
	}
	return err
}

func addAttributes(ctx context.Context, c client.Client, namespace string, want map[string]enums.IndexedValueType) error {
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return err
	}
	missing := map[string]enums.IndexedValueType{}
	for name, kind := range want {
		if _, ok := have.CustomAttributes[name]; !ok {
			missing[name] = kind
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	})
	if _, exists := errors.AsType[*serviceerror.AlreadyExists](err); exists {
		return nil
	}
	return err
}

// until repeats try every 100 ms. When ctx ends, it returns what went wrong last.
func until(ctx context.Context, try func() error) error {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticks.C:
		}
	}
}

// silent drops the client's log: it repeats what the server says itself.
type silent struct{}

var _ sdklog.Logger = silent{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
