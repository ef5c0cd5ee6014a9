package meta_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"omnidesk/internal/channel"
	"omnidesk/internal/channel/channeltest"
	"omnidesk/internal/channel/meta"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var account = channel.Account{
	Kind: channel.WhatsAppCloud, AppID: "4711", AccountID: "100200", NumberID: "106540352242922", AppSecret: "s3cret", Token: "EAAtoken",
}

func newAdapter(t testing.TB, url string, timeout time.Duration) *meta.Adapter {
	t.Helper()
	adapter, err := meta.New(meta.Options{SandboxURL: url, Timeout: timeout})
	require.NoError(t, err)
	t.Cleanup(adapter.Close)
	return adapter
}

func TestConformance(t *testing.T) {
	channeltest.Run(t, channeltest.Pair{
		Adapter: func(t *testing.T, url string, timeout time.Duration) channel.Adapter {
			return newAdapter(t, url, timeout)
		},
		Account:  account,
		To:       channel.Address{Kind: "phone", Value: "+5511999990001"},
		Accepted: channel.Content{Template: &channel.Template{Name: "order_update", Language: "pt_BR", Parameters: []string{"Ana", "42"}}},
		Refused:  channel.Content{Text: "No window is open."},
		Kinds:    kinds, Unfit: unfitting, Classes: classes,
		RetryLaterCode: 130429,
		Answer:         `{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.X"}]}`,
		MessageID: func(body []byte) string {
			var message struct {
				Opaque string `json:"biz_opaque_callback_data"`
			}
			if json.Unmarshal(body, &message) != nil {
				return ""
			}
			return message.Opaque
		},
	})
}
