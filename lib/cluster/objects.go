package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
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

const (
	// A try to store or fetch a message or an object takes up to firstTry, and the time that its
	// bytes need at slowRate. The try after one that took so long has half as much time again,
	// up to maxTry for a message.
	firstTry = 3 * time.Second
	maxTry   = 5 * time.Second
	slowRate = 256 << 10 // bytes per second
	// missingTimeout is how long retryObject looks for an object that the server does not find,
	// as a server that was cut off from the others gets it late.
	missingTimeout = 30 * time.Second
	// deleteTimeout is how long deleteObject waits for the server.
	deleteTimeout = 5 * time.Second
)

// putObject stores b.
func (c *Cluster) putObject(ctx context.Context, name string, b []byte) error {
	err := c.retryObject(ctx, len(b), func(ctx context.Context) error {
		_, err := c.objects.PutBytes(ctx, name, b)
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("cluster: cannot store a value of %d bytes: %w", len(b), err)
	}
	return err
}

// getObject returns the content of an object of at most max bytes. It checks the size
// before it fetches the object, and the hash afterwards.
func (c *Cluster) getObject(ctx context.Context, name string, max int) (b []byte, err error) {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return nil, fmt.Errorf("cluster: malformed object name %q", name)
	}
	var info *jetstream.ObjectInfo
	err = c.retryObject(ctx, 0, func(ctx context.Context) (err error) {
		info, err = c.objects.GetInfo(ctx, name)
		return err
	})
	if err == nil && info.Size > uint64(max) {
		return nil, fmt.Errorf("cluster: the object %s takes %d bytes, more than the limit of %d", name, info.Size, max)
	}
	if err == nil {
		b, err = c.getChunks(ctx, info)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot read the object %s: %w", name, err)
	}
	if contentHash(b) != parts[1] {
		return nil, fmt.Errorf("cluster: the object %s is damaged: its hash differs from its name", name)
	}
	return b, nil
}

// getChunks returns the content of an object. It asks for one message after the other, which
// any server that has the stream answers. GetBytes would make a consumer, which for half a
// minute after the loss of a server may be assigned to that server.
func (c *Cluster) getChunks(ctx context.Context, info *jetstream.ObjectInfo) ([]byte, error) {
	subject := jetstream.WithGetMsgSubject("$O." + info.Bucket + ".C." + info.NUID)
	b := make([]byte, 0, info.Size)
	for next := uint64(1); uint64(len(b)) < info.Size; {
		err := c.retryObject(ctx, maxInline, func(ctx context.Context) error {
			m, err := c.chunks.GetMsg(ctx, next, subject)
			if err == nil {
				b, next = append(b, m.Data...), m.Sequence+1
			}
			return err
		})
		if err != nil || uint64(len(b)) > info.Size {
			return nil, cmp.Or(err, errors.New("it has more bytes than its description says"))
		}
	}
	return b, nil
}

// retryObject calls f, which stores or fetches size bytes, until it succeeds or ctx ends,
// for publishTimeout and the time that the bytes need. A server that is lost does not
// answer; another one answers a later try.
func (c *Cluster) retryObject(ctx context.Context, size int, f func(context.Context) error) error {
	transfer := time.Duration(size) * time.Second / slowRate
	begin := time.Now()
	last := begin.Add(publishTimeout + transfer)
	timeout := firstTry + transfer
	for delay := 10 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		try, cancel := context.WithTimeout(ctx, timeout)
		err := f(try)
		late := try.Err() != nil
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, nats.ErrConnectionClosed), time.Now().After(last):
			return err
		case errors.Is(err, jetstream.ErrObjectNotFound), errors.Is(err, jetstream.ErrMsgNotFound):
			if time.Since(begin) > missingTimeout {
				return err
			}
		}
		if late {
			timeout += timeout / 2
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// deleteObject deletes an object. If that fails, the object ages out.
func (c *Cluster) deleteObject(name string) {
	if !c.conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	_ = c.objects.Delete(ctx, name)
}
