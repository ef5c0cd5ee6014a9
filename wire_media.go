package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/cloudfront/sign"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/gcsblob"
	_ "gocloud.dev/blob/s3blob"

	"omnidesk/internal/config"
	"omnidesk/internal/media"
)

// linkLives is how long an address of the network of caches can be read.
const linkLives = 10 * time.Minute

// openMedia opens the store of files: a bucket where one is named, else a folder.
func openMedia(ctx context.Context, c config.Media) (store *media.Store, closing func(), err error) {
	var bucket *blob.Bucket
	if named := c.Bucket(); named != "" {
		bucket, err = blob.OpenBucket(ctx, named)
	} else {
		var folder string
		if folder, err = filepath.Abs(c.Folder); err == nil {
			bucket, err = fileblob.OpenBucket(folder, &fileblob.Options{CreateDir: true, DirFileMode: 0o700, NoTempDir: true})
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening the store of media (OMNIDESK_MEDIA_URL or OMNIDESK_MEDIA_FOLDER): %w", err)
	}
	options := media.Options{Quota: int64(c.QuotaMB) << 20}
	if c.CDN != "" {
		if options.Sign, err = cloudFront(c); err != nil {
			return nil, nil, errors.Join(err, bucket.Close())
		}
	}
	return media.NewStore(bucket, options), func() { _ = bucket.Close() }, nil
}

// cloudFront signs addresses of a distribution in front of the bucket.
func cloudFront(c config.Media) (func(string) (string, error), error) {
	base, err := url.Parse(c.CDN)
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, errors.New("OMNIDESK_MEDIA_CDN_URL must look like https://d111111abcdef8.cloudfront.net")
	}
	encoded, err := os.ReadFile(c.CDNKeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the key of OMNIDESK_MEDIA_CDN_KEY_FILE: %w", err)
	}
	key, err := privateKey(encoded)
	if err != nil || c.CDNKeyID == "" {
		return nil, errors.New("OMNIDESK_MEDIA_CDN_KEY_FILE must hold a private RSA or ECDSA key in PEM, and OMNIDESK_MEDIA_CDN_KEY_ID name it")
	}
	signer := sign.NewURLSigner(c.CDNKeyID, key)
	return func(name string) (string, error) {
		return signer.Sign(base.JoinPath(name).String(), time.Now().Add(linkLives))
	}, nil
}

func privateKey(encoded []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(encoded)
	if block == nil {
		return nil, errors.New("it is no PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading a private key: %w", err)
	}
	key, fits := parsed.(crypto.Signer)
	if !fits {
		return nil, errors.New("it is no key to sign with")
	}
	return key, nil
}
