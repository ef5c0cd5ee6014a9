// Package config holds the flags of the commands. Every flag has an environment variable of the same meaning;
// a flag wins. Commands embed the groups they need, so that a name means the same everywhere.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Database says where PostgreSQL is.
type Database struct {
	URL       string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" help:"PostgreSQL 15 or newer, as postgres://user:password@host:port/database?sslmode=verify-full."`
	DirectURL string `name:"database-direct-url" env:"DATABASE_DIRECT_URL" placeholder:"URL" help:"The same database without a pooler between, for migrations and LISTEN. Needed only when DATABASE_URL names a pooler."`
}

// Direct is the address that a pooler must not stand in front of.
func (d Database) Direct() string {
	if d.DirectURL != "" {
		return d.DirectURL
	}
	return d.URL
}

// Require refuses a missing or malformed URL, and one that sends the password over a network in the clear.
func (d Database) Require() error {
	if d.URL == "" {
		return errors.New("no database: set DATABASE_URL, for example postgres://omnidesk:…@db.example:5432/omnidesk?sslmode=verify-full")
	}
	for name, value := range map[string]string{"DATABASE_URL": d.URL, "DATABASE_DIRECT_URL": d.DirectURL} {
		if value == "" {
			continue
		}
		if err := checkDatabaseURL(value); err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
	}
	return nil
}

// checkDatabaseURL never repeats the URL, because it holds a password.
func checkDatabaseURL(value string) error {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || strings.Trim(u.Path, "/") == "" {
		return errors.New("must look like postgres://user:password@host:port/database")
	}
	switch u.Query().Get("sslmode") {
	case "require", "verify-ca", "verify-full":
		return nil
	}
	host := u.Hostname()
	if host == "" {
		host = u.Query().Get("host") // of a socket's directory; it could name a machine, too
	}
	if isLocal(host) {
		return nil
	}
	return errors.New("names another machine without TLS: add sslmode=verify-full, or sslmode=require when its certificate can't be checked")
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || strings.HasPrefix(host, "/") || (ip != nil && ip.IsLoopback())
}

// Secrets are the two keys every process of an installation shares.
type Secrets struct {
	EncryptionKey string `name:"encryption-key" env:"ENCRYPTION_KEY" placeholder:"KEYSET" help:"The keyset that seals credentials. Losing it loses them; make one with omnidesk admin new-keys."`
	SessionKey    string `name:"jwt-secret-key" env:"JWT_SECRET_KEY" placeholder:"KEY" help:"Signs session cookies. Make one with omnidesk admin new-keys."`
}

// Require refuses missing keys. Whether they are fit is said by the packages that use them.
func (s Secrets) Require() error {
	for name, value := range map[string]string{"ENCRYPTION_KEY": s.EncryptionKey, "JWT_SECRET_KEY": s.SessionKey} {
		if value == "" {
			return fmt.Errorf("%s is not set: make it once with `omnidesk admin new-keys`, keep it safe and give it to every server and worker", name)
		}
	}
	return nil
}

// Temporal says where the Temporal cluster is.
type Temporal struct {
	Address   string `name:"temporal-address" env:"TEMPORAL_ADDRESS" default:"127.0.0.1:7233" help:"The frontend of the Temporal cluster."`
	Namespace string `name:"temporal-namespace" env:"TEMPORAL_NAMESPACE" default:"default" help:"The namespace to work in."`
	APIKey    string `name:"temporal-api-key" env:"TEMPORAL_API_KEY" placeholder:"KEY" help:"The key for Temporal Cloud; it turns TLS on."`
	TLS       bool   `name:"temporal-tls" env:"TEMPORAL_TLS" help:"Speak TLS to the cluster."`
}

// Sandbox says where the simulated providers are.
type Sandbox struct {
	SandboxURL string `name:"sandbox-url" env:"OMNIDESK_SANDBOX_URL" placeholder:"URL" help:"Speak to the sandbox at this address instead of the providers. Never set it for real connections."`
}

// Provider says how a provider is spoken to.
type Provider struct {
	ProviderTimeout time.Duration `name:"provider-timeout" env:"OMNIDESK_PROVIDER_TIMEOUT" default:"30s" help:"How long one send may take. A message whose worker died becomes uncertain this long and 5 seconds after its claim; give every worker the same."`
}

// Require refuses what a page of sends, which must end within four minutes, could not wait for.
func (p Provider) Require() error {
	if p.ProviderTimeout < time.Second || p.ProviderTimeout > time.Minute {
		return errors.New("OMNIDESK_PROVIDER_TIMEOUT must be from 1s to 1m")
	}
	return nil
}

// Media says where files are kept that people and contacts send.
type Media struct {
	MediaURL   string `name:"media-url" env:"OMNIDESK_MEDIA_URL" placeholder:"URL" help:"The bucket for files of messages: s3://name?region=sa-east-1, gs://name, or file:///folder. Without one the folder is used. The same for every server and worker."`
	S3Bucket   string `name:"s3-bucket" env:"AWS_S3_BUCKET_NAME" placeholder:"NAME" help:"Short for OMNIDESK_MEDIA_URL=s3://NAME; the region comes from AWS_REGION."`
	Folder     string `name:"media-folder" env:"OMNIDESK_MEDIA_FOLDER" default:".data/media" help:"The folder for files of messages when there is no bucket. Servers and workers must see the same one."`
	QuotaMB    int    `name:"media-quota-mb" env:"OMNIDESK_MEDIA_QUOTA_MB" default:"10240" help:"How many MB the files of one company may take; 0: without end."`
	CDN        string `name:"media-cdn-url" env:"OMNIDESK_MEDIA_CDN_URL" placeholder:"URL" help:"A CloudFront distribution in front of the bucket: browsers are sent there with an address that works for ten minutes."`
	CDNKeyID   string `name:"media-cdn-key-id" env:"OMNIDESK_MEDIA_CDN_KEY_ID" placeholder:"ID" help:"The id of CloudFront's public key."`
	CDNKeyFile string `name:"media-cdn-key-file" env:"OMNIDESK_MEDIA_CDN_KEY_FILE" placeholder:"FILE" help:"The private key to it, in PEM."`
}

// Bucket is the address of the bucket, or empty: the folder is used.
func (m Media) Bucket() string {
	if m.MediaURL == "" && m.S3Bucket != "" {
		return "s3://" + m.S3Bucket
	}
	return m.MediaURL
}

// Position says where a process that sends remembers how far it has seen the database come.
type Position struct {
	PositionFile     string `name:"position-file" env:"OMNIDESK_POSITION_FILE" default:".data/position.json" help:"Where this worker remembers how far it has seen the database come, so that a restored backup is noticed. Must outlive the process and lie outside the database."`
	LosslessFailover bool   `name:"lossless-failover" env:"OMNIDESK_LOSSLESS_FAILOVER" help:"A standby that takes over has every commit, because replication is synchronous: a failover then puts nothing on hold."`
}

// Require refuses an empty name.
func (p Position) Require() error {
	if p.PositionFile == "" {
		return errors.New("OMNIDESK_POSITION_FILE is empty: name a file on a disk that outlives this process, such as /var/lib/omnidesk/position.json")
	}
	return nil
}

// Metrics is the port of /metrics and /healthz, apart from what the public sees.
type Metrics struct {
	MetricsAddress string `name:"metrics-address" env:"OMNIDESK_METRICS_ADDRESS" placeholder:"IP:PORT" help:"Where metrics and health are served; keep it private."`
}

// Admin is the first superadmin, made when there is none.
type Admin struct {
	AdminEmail    string `name:"admin-email" env:"OMNIDESK_ADMIN_EMAIL" default:"admin@omnidesk.example" help:"E-mail of the first superadmin, made when there is none."`
	AdminPassword string `name:"admin-password" env:"OMNIDESK_ADMIN_PASSWORD" placeholder:"PASSWORD" help:"Password of the first superadmin. Without it a one-time password is made and printed once."`
}

// Address joins an IP and a port.
func Address(ip string, port int) string {
	return net.JoinHostPort(ip, strconv.Itoa(port))
}

// Dev is what `omnidesk dev` starts: everything on the loopback, each port settable.
type Dev struct {
	Data         string `name:"data" env:"OMNIDESK_DATA" default:".data" help:"Directory of the private PostgreSQL, keys and logs."`
	Port         int    `name:"port" env:"PORT" default:"8080" help:"Port of the application."`
	PostgresPort int    `name:"postgres-port" env:"OMNIDESK_POSTGRES_PORT" default:"5433" help:"Port of the private PostgreSQL."`
	TemporalPort int    `name:"temporal-port" env:"OMNIDESK_TEMPORAL_PORT" default:"7233" help:"Port of the local Temporal server."`
	UIPort       int    `name:"temporal-ui-port" env:"OMNIDESK_TEMPORAL_UI_PORT" default:"8233" help:"Port of the Temporal UI."`
	SandboxPort  int    `name:"sandbox-port" env:"OMNIDESK_SANDBOX_PORT" default:"8090" help:"Port of the simulated providers."`
	MetricsPort  int    `name:"metrics-port" env:"OMNIDESK_METRICS_PORT" default:"9090" help:"First of three ports for metrics: server, worker, Temporal."`

	TemporalBinary string `name:"temporal-binary" env:"OMNIDESK_TEMPORAL_BINARY" placeholder:"FILE" help:"The local Temporal server; bin/temporal-dev in the data directory by default."`
	TemporalConfig string `name:"temporal-config" env:"OMNIDESK_TEMPORAL_CONFIG" default:"temporal-dev.yaml" help:"Its settings."`
	TemporalUsed   string `name:"temporal-address" env:"TEMPORAL_ADDRESS" placeholder:"HOST:PORT" help:"Use this Temporal cluster and start none."`
	Namespace      string `name:"temporal-namespace" env:"TEMPORAL_NAMESPACE" default:"default" help:"The Temporal namespace to work in."`
}

// Lifetimes say how long sessions stay good.
type Lifetimes struct {
	Session      time.Duration `name:"session-life" env:"OMNIDESK_SESSION_LIFE" default:"24h" help:"A session ends this long after its login; at most 24h."`
	SessionIdle  time.Duration `name:"session-idle" env:"OMNIDESK_SESSION_IDLE" default:"8h" help:"A session ends after this long without a request; at most 24h."`
	AdminSession time.Duration `name:"admin-session-life" env:"OMNIDESK_ADMIN_SESSION_LIFE" default:"24h" help:"The same for admins and superadmins; 12h suits a strict house."`
	AdminIdle    time.Duration `name:"admin-session-idle" env:"OMNIDESK_ADMIN_SESSION_IDLE" default:"8h" help:"The same for admins and superadmins; 1h suits a strict house."`
	LinkLifetimes
}

// LinkLifetimes say how long links in mails stay good.
type LinkLifetimes struct {
	Verify      time.Duration `name:"verify-life" env:"OMNIDESK_VERIFY_LIFE" default:"48h" help:"A link that confirms an address; at most 168h."`
	Reset       time.Duration `name:"reset-life" env:"OMNIDESK_RESET_LIFE" default:"1h" help:"A link that sets a new password; at most 24h."`
	Invitation  time.Duration `name:"invitation-life" env:"OMNIDESK_INVITATION_LIFE" default:"168h" help:"An invitation; at most 720h."`
	EmailChange time.Duration `name:"email-change-life" env:"OMNIDESK_EMAIL_CHANGE_LIFE" default:"24h" help:"A link that confirms a new address; at most 168h."`
}

// Mail says how mail leaves.
type Mail struct {
	SESRegion string `name:"ses-region" env:"OMNIDESK_SES_REGION" placeholder:"REGION" help:"Send mail by Amazon SES of this region. With neither this nor a sandbox no mail is sent, and what needs mail is refused."`
	From      string `name:"mail-from" env:"OMNIDESK_MAIL_FROM" placeholder:"ADDRESS" help:"Whom mails come from, as SES knows it: OmniDesk <desk@example.com>."`
}

// Require refuses half of a configuration.
func (m Mail) Require() error {
	if (m.SESRegion == "") != (m.From == "") {
		return errors.New("OMNIDESK_SES_REGION and OMNIDESK_MAIL_FROM belong together: set both, or neither")
	}
	return nil
}
