package mail

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
)

// SES sends by Amazon SES, version 2.
type SES struct {
	client *sesv2.Client
	from   string
}

// SESOptions say how SES is spoken to. Credentials come from where AWS programs look for them.
type SESOptions struct {
	Region   string
	From     string // an address that SES knows to be ours
	Endpoint string // instead of Amazon's; for tests and private endpoints
}

// NewSES asks nothing of SES yet.
func NewSES(ctx context.Context, options SESOptions) (*SES, error) {
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(options.Region))
	if err != nil {
		return nil, fmt.Errorf("setting up Amazon SES: %w", err)
	}
	client := sesv2.NewFromConfig(settings, func(o *sesv2.Options) {
		o.RetryMaxAttempts = 1 // whoever sends retries, later
		if options.Endpoint != "" {
			o.BaseEndpoint = &options.Endpoint
		}
	})
	return &SES{client: client, from: options.From}, nil
}

// Send posts once.
func (s *SES) Send(ctx context.Context, message Message) error {
	text := func(words string) *types.Content { return &types.Content{Data: &words, Charset: aws.String("UTF-8")} }
	_, err := s.client.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: &s.from,
		Destination:      &types.Destination{ToAddresses: []string{message.To}},
		Content:          &types.EmailContent{Simple: &types.Message{Subject: text(message.Subject), Body: &types.Body{Text: text(message.Text)}}},
	})
	return sesError(err)
}

// sesError keeps the code alone: SES repeats addresses in its words.
func sesError(err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return errors.New("sending by Amazon SES: no answer")
	}
	switch api.ErrorCode() {
	case "MessageRejected", "BadRequestException":
		return RefusedError{api.ErrorCode()}
	}
	return fmt.Errorf("sending by Amazon SES: refused for now (%s)", api.ErrorCode())
}
