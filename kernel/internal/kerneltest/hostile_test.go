package kerneltest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/kernel/internal/server"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// serveTCP runs a server with a Fake over real sockets.
func serveTCP(t *testing.T, log io.Writer) (*Fake, transport.Connection) {
	t.Helper()
	c := transport.Connection{Transport: "tcp", IP: "127.0.0.1", SignatureScheme: "hmac-sha256", Key: "a key"}
	signer, err := wire.NewSigner(c.SignatureScheme, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	fake, logger := NewFake(), slog.New(slog.NewTextHandler(log, nil))
	s := server.New(server.Config{Session: fake, Signer: signer, GoVersion: "1.26.0", Log: logger})
	z, err := transport.Listen(c, transport.DefaultLimits(), s, logger)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(ctx, z) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return fake, z.Connection()
}

func dial(t *testing.T, c transport.Connection) *Client {
	t.Helper()
	client, err := Dial(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(t.Context(), watchdogTimeout)
	defer cancel()
	if err := client.AwaitWelcome(ctx); err != nil {
		t.Fatal(err)
	}
	return client
}

// run executes a cell and returns its iopub messages.
func run(t *testing.T, c *Client, code string) []*wire.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), watchdogTimeout)
	defer cancel()
	id, err := c.Execute(code)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.RecvReply(ctx, Shell, id); err != nil {
		t.Fatal(err)
	}
	said, err := c.RecvUntilIdle(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestNothingUnsignedIsExecuted sends forged, replayed, reflected and broken
// execute requests on every socket, and then a good one.
func TestNothingUnsignedIsExecuted(t *testing.T) {
	var log lockedBuffer
	fake, conn := serveTCP(t, &log)
	good, stranger := dial(t, conn), dial(t, conn)
	said := run(t, good, "print first")

	const evil = `{"code":"print evil"}`
	id, signed, err := good.Request("execute_request", `{"code":"print replayed"}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := good.SendRaw(Shell, signed); err != nil {
		t.Fatal(err)
	}
	if _, err := good.RecvReply(t.Context(), Shell, id); err != nil {
		t.Fatal(err)
	}
	forge := func(i int, part string) [][]byte {
		f := slices.Clone(signed)
		f[i] = []byte(part)
		return f
	}
	_, reflected, err := stranger.Request("execute_request", evil, func(h *wire.Header) { h.Session = said[0].Header.Session })
	if err != nil {
		t.Fatal(err)
	}
	bad := [][][]byte{
		signed, signed, reflected,
		forge(1, strings.Repeat("0", 64)), forge(1, ""), forge(5, evil), forge(2, "{"),
		signed[:4], signed[1:], {[]byte("noise")}, {{}},
	}
	for _, frames := range bad {
		for _, channel := range []string{Shell, Control, Stdin} {
			if err := stranger.SendRaw(channel, frames); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Messages of one connection are read in order, so when a signed request is answered, all earlier invalid messages
	// have been read.
	for _, channel := range []string{Shell, Control} {
		id, err := stranger.Send(channel, "kernel_info_request", "{}")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stranger.RecvReply(t.Context(), channel, id); err != nil {
			t.Fatal(err)
		}
	}
	run(t, good, "print last")
	if got, want := fake.Executed(), []string{"print first", "print replayed", "print last"}; !slices.Equal(got, want) {
		t.Errorf("executed %q, want %q", got, want)
	}
	for _, reason := range []string{"the signature does not match", "was received before", "that this kernel has sent itself", "no delimiter"} {
		if !strings.Contains(log.String(), reason) {
			t.Errorf("no %q in the log", reason)
		}
	}
}

// TestTwoFrontEnds: both front ends receive the iopub messages of each other's cells.
func TestTwoFrontEnds(t *testing.T) {
	_, conn := serveTCP(t, io.Discard)
	a, b := dial(t, conn), dial(t, conn)
	run(t, a, "print warm up")
	run(t, b, "print warm up")
	ctx, cancel := context.WithTimeout(t.Context(), watchdogTimeout)
	defer cancel()
	for _, pair := range [][2]*Client{{a, b}, {b, a}} {
		doer, watcher := pair[0], pair[1]
		did := run(t, doer, "print shared\nresult 1")
		saw, err := watcher.RecvUntilIdle(ctx, did[0].Parent.MsgID)
		if err != nil {
			t.Fatal(err)
		}
		if d, s := describe(did), describe(saw); d != s {
			t.Errorf("one saw %s, the other %s", d, s)
		}
	}
}

func describe(messages []*wire.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, m.Header.MsgType+string(m.Content))
	}
	return strings.Join(all, "\n")
}

// TestFlood: 100 MB reach a front end over sockets completely and in order.
func TestFlood(t *testing.T) {
	_, conn := serveTCP(t, io.Discard)
	c := dial(t, conn)
	ctx, cancel := context.WithTimeout(t.Context(), 3*watchdogTimeout)
	defer cancel()
	const size = 100 << 20
	id, err := c.Execute("flood 104857600")
	if err != nil {
		t.Fatal(err)
	}
	said, err := c.RecvUntilIdle(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, m := range said {
		if m.Header.MsgType != "stream" {
			continue
		}
		var s wire.Stream
		if err := json.Unmarshal(m.Content, &s); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(s.Text); { // messages may begin and end within a line
			at := total % 64
			n := min(64-at, len(s.Text)-i)
			if line := total / 64; line%8 == 0 && s.Text[i:i+n] != FloodLine(line)[at:at+n] {
				t.Fatalf("line %d has %q", line, s.Text[i:i+n])
			}
			i, total = i+n, total+n
		}
	}
	if total != size {
		t.Errorf("%d bytes arrived, want %d", total, size)
	}
}
