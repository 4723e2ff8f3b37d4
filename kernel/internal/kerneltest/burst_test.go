package kerneltest

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/server"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

var bursts = flag.Int("bursts", 100, "how many bursts of cells to send")

// joinMemory runs a server with a Fake in memory and connects a front end.
func joinMemory(t *testing.T) *Client {
	t.Helper()
	signer, err := wire.NewSigner("hmac-sha256", "a key")
	if err != nil {
		t.Fatal(err)
	}
	s := server.New(server.Config{Session: NewFake(), Signer: signer, GoVersion: "1.26.0", Log: slog.New(slog.DiscardHandler)})
	m := transport.NewMemory(s)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(ctx, m) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	c, err := Join(m, "a key")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// onBothTransports runs a test with a front end in memory and with a front end over sockets.
func onBothTransports(t *testing.T, test func(t *testing.T, c *Client)) {
	t.Run("memory", func(t *testing.T) { test(t, joinMemory(t)) })
	t.Run("sockets", func(t *testing.T) {
		_, conn := serveTCP(t, io.Discard)
		test(t, dial(t, conn))
	})
}

// status returns the status of the reply to a cell.
func status(t *testing.T, c *Client, id string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), watchdogTimeout)
	defer cancel()
	m, err := c.RecvReply(ctx, Shell, id)
	if err != nil {
		t.Fatal(err)
	}
	var s wire.Status
	if err := json.Unmarshal(m.Content, &s); err != nil {
		t.Fatal(err)
	}
	return s.Status
}

// TestBurst: when the first cell of a burst fails at once, the other cells are aborted
// although their requests are made and arrive a moment later. Dates have a resolution of
// microseconds, or of milliseconds as in browsers.
func TestBurst(t *testing.T) {
	onBothTransports(t, func(t *testing.T, c *Client) {
		for i := range *bursts {
			made, step := time.Now(), 600*time.Microsecond
			if i%2 == 1 {
				made, step = made.Truncate(time.Millisecond), 500*time.Microsecond
			}
			var ids []string
			var requests [][][]byte
			for j, code := range []string{"error CompileError wrong", "print a", "print b"} {
				date := made.Add(time.Duration(j) * step)
				if i%2 == 1 {
					date = date.Truncate(time.Millisecond)
				}
				content, err := json.Marshal(map[string]any{"code": code})
				if err != nil {
					t.Fatal(err)
				}
				id, frames, err := c.Request("execute_request", string(content), func(h *wire.Header) { h.Date = wire.Timestamp(date) })
				if err != nil {
					t.Fatal(err)
				}
				ids, requests = append(ids, id), append(requests, frames)
			}
			for _, frames := range requests {
				if err := c.SendRaw(Shell, frames); err != nil {
					t.Fatal(err)
				}
				for begun := time.Now(); time.Since(begun) < step; { // no sleep, which would take longer
				}
			}
			var got []string
			for _, id := range ids {
				got = append(got, status(t, c, id))
			}
			if text := strings.Join(got, ", "); text != "error, aborted, aborted" {
				t.Fatalf("burst %d: %s", i, text)
			}
		}
	})
}

// TestAfterFailure: a request that the front end makes after it has received the failure, on
// iopub or in the reply, is never aborted.
func TestAfterFailure(t *testing.T) {
	onBothTransports(t, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), watchdogTimeout)
		defer cancel()
		for i := range *bursts {
			failed, err := c.Execute("error CompileError wrong")
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				for m := (*wire.Message)(nil); m == nil || m.Header.MsgType != "error"; {
					if m, err = c.RecvReply(ctx, IOPub, failed); err != nil {
						t.Fatal(err)
					}
				}
			} else if got := status(t, c, failed); got != "error" {
				t.Fatalf("cell %d: %s", i, got)
			}
			next, err := c.Execute("print a")
			if err != nil {
				t.Fatal(err)
			}
			if got := status(t, c, next); got != "ok" {
				t.Fatalf("the request after cell %d had failed: %s", i, got)
			}
		}
	})
}
