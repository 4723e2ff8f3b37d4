package cluster

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// The name of an object consists of the id of its pool, the hash of the content, and for a
// result a random part.
func argumentName(pool string, b []byte) string { return pool + "." + contentHash(b) }

func resultName(pool string, b []byte) string { return argumentName(pool, b) + "." + rand.Text() }

func contentHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// putObject stores b.
func (c *Cluster) putObject(ctx context.Context, name string, b []byte) error {
	if _, err := c.objects.PutBytes(ctx, name, b); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("cluster: cannot store a value of %d bytes: %w", len(b), err)
	}
	return nil
}

// getObject returns the content of an object of at most max bytes. It checks the size
// before it fetches the object, and the hash afterwards.
func (c *Cluster) getObject(ctx context.Context, name string, max int) ([]byte, error) {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return nil, fmt.Errorf("cluster: malformed object name %q", name)
	}
	info, err := c.objects.GetInfo(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot read the object %s: %w", name, err)
	}
	if info.Size > uint64(max) {
		return nil, fmt.Errorf("cluster: the object %s takes %d bytes, more than the limit of %d", name, info.Size, max)
	}
	b, err := c.objects.GetBytes(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot read the object %s: %w", name, err)
	}
	if contentHash(b) != parts[1] {
		return nil, fmt.Errorf("cluster: the object %s is damaged: its hash differs from its name", name)
	}
	return b, nil
}

// deleteObject deletes an object. If that fails, the object ages out.
func (c *Cluster) deleteObject(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), objectTimeout)
	defer cancel()
	if err := c.objects.Delete(ctx, name); err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		return
	}
}
