package kerneltest

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/server"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
	"golang.org/x/tools/txtar"
)

// watchdogTimeout is how long a scenario waits for a message before it fails.
const watchdogTimeout = 2 * time.Minute

// RunScenario runs the script in the "in" section of a txtar archive against a
// server with a Fake session, and returns the archive with the messages of each
// channel. A script has one command a line:
//
//	send CHANNEL TYPE JSON    sends the next request, called r1, r2, ...
//	buffers HEX...            adds binary data to the next request that is sent
//	execute CODE              sends an execute_request; \n in CODE is a newline
//	hold-sends                makes the following requests but does not send them
//	burst GATE                sends the first of these requests, a cell that waits at
//	                          GATE, opens GATE, and sends the others when it is idle
//	await rN                  waits for the idle status and the reply of a request
//	answer VALUE              waits for an input_request and answers it
//	output TEXT               waits for a text on iopub
//	release GATE              see Fake
//	by-request                sorts iopub messages by request, if their order is random
//
// At the end RunScenario waits for all requests.
func RunScenario(archive *txtar.Archive) (*txtar.Archive, error) {
	r, err := startScenario()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		if f.Name != "in" {
			continue
		}
		out.Files = append(out.Files, f)
		for line := range strings.Lines(string(f.Data)) {
			if err := r.command(strings.TrimSpace(line)); err != nil {
				return nil, fmt.Errorf("the command %q of the scenario failed: %w", strings.TrimSpace(line), err)
			}
		}
	}
	if err := r.awaitAll(); err != nil {
		return nil, err
	}
	for _, name := range []string{Shell, Control, Stdin, IOPub} {
		if text := r.transcript(name); text != "" {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(text)})
		}
	}
	return out, r.checkPairs()
}

type scenario struct {
	fake   *Fake
	client *Client
	stop   func()

	ids           []string          // msg_ids of requests, in order
	heldAt        time.Time         // when the first of heldRequests was made
	labels        map[string]string // msg_id to r1, r2, ...
	replies       map[string]string // msg_id to the channel on which its reply is expected
	heldRequests  [][][]byte        // frames of shell requests for burst
	buffers       [][]byte          // binary data of the next request
	holdRequests  bool
	sortByRequest bool

	mu       sync.Mutex // guards the fields below
	arrived  *sync.Cond
	received map[string][]*wire.Message
	answered int // input_requests answered
}

const scenarioKey = "scenario-key"

func startScenario() (*scenario, error) {
	signer, err := wire.NewSigner("hmac-sha256", scenarioKey)
	if err != nil {
		return nil, err
	}
	r := &scenario{fake: NewFake(), labels: make(map[string]string), replies: make(map[string]string), received: make(map[string][]*wire.Message)}
	r.arrived = sync.NewCond(&r.mu)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s := server.New(server.Config{Session: r.fake, Signer: signer, GoVersion: "1.26.0", Log: log})
	m := transport.NewMemory(s)
	if r.client, err = Join(m, scenarioKey); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(ctx, m) })
	for _, name := range []string{Shell, Control, Stdin, IOPub} {
		wg.Go(func() { r.collect(ctx, name) })
	}
	r.stop = func() { cancel(); wg.Wait() }
	return r, r.waitFor("the start", func() bool { return r.hasPublished(wire.Starting) })
}

func (r *scenario) collect(ctx context.Context, channel string) {
	for {
		m, err := r.client.Recv(ctx, channel)
		if ctx.Err() != nil {
			return
		}
		r.mu.Lock()
		if err == nil {
			r.received[channel] = append(r.received[channel], m)
		}
		r.arrived.Broadcast()
		r.mu.Unlock()
	}
}

// waitFor waits until ok, which checks received messages, returns true.
func (r *scenario) waitFor(what string, ok func() bool) error {
	deadline := time.Now().Add(watchdogTimeout)
	stop := time.AfterFunc(watchdogTimeout, r.arrived.Broadcast)
	defer stop.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !ok() {
		if time.Now().After(deadline) {
			return fmt.Errorf("stopped waiting for %s after the scenario's timeout", what)
		}
		r.arrived.Wait()
	}
	return nil
}

func (r *scenario) command(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "", "#":
		return nil
	case "send":
		channel, rest, _ := strings.Cut(rest, " ")
		msgType, content, _ := strings.Cut(rest, " ")
		return r.send(channel, msgType, content)
	case "execute":
		code, err := json.Marshal(strings.ReplaceAll(rest, `\n`, "\n"))
		if err != nil {
			return err
		}
		return r.send(Shell, "execute_request", `{"code":`+string(code)+`,"allow_stdin":true}`)
	case "buffers":
		return r.addBuffers(rest)
	case "hold-sends":
		r.holdRequests = true
		return nil
	case "by-request":
		r.sortByRequest = true
		return nil
	case "burst":
		return r.burst(rest)
	case "await":
		return r.waitFor("idle of "+rest, func() bool { return r.isIdle(rest) && r.labelHasReply(rest) })
	case "output":
		return r.waitFor("output "+rest, func() bool { return r.hasPublished(rest) })
	case "answer":
		return r.answer(rest)
	case "release":
		r.fake.Release(rest)
		return nil
	}
	return fmt.Errorf("scenarios have no command %q", verb)
}

// errLate reports that the machine was too slow to send the requests within the time that the
// server allows for one burst. The scenario must be run again.
var errLate = errors.New("this machine was too slow to send the requests of the scenario in time: run the scenario again")

// burst sends the held requests. It lets the first cell run for longer than it took to make
// the other requests, so that the dates of these are before the cell's end.
func (r *scenario) burst(gate string) error {
	first := fmt.Sprintf("r%d", len(r.ids)-len(r.heldRequests)+1)
	making := time.Since(r.heldAt)
	if err := r.client.SendRaw(Shell, r.heldRequests[0]); err != nil {
		return err
	}
	if err := r.waitFor("busy of "+first, func() bool { return r.state(first) == wire.Busy }); err != nil {
		return err
	}
	time.Sleep(making + 2*time.Millisecond) // dates have a resolution of milliseconds
	released := time.Now()
	r.fake.Release(gate)
	if err := r.waitFor("idle of "+first, func() bool { return r.isIdle(first) }); err != nil {
		return err
	}
	for _, frames := range r.heldRequests[1:] {
		if err := r.client.SendRaw(Shell, frames); err != nil {
			return err
		}
	}
	if time.Since(released) > server.InFlightPeriod {
		return errLate
	}
	r.heldRequests, r.holdRequests = nil, false
	return nil
}

var subshellID = regexp.MustCompile(`"subshell_id":"([A-Z0-9]+)"`)

// send sends a request. SUBSHELL in its content stands for the ID of the last subshell. A type
// with the suffix @SUBSHELL, such as execute_request@SUBSHELL, sends it to that subshell.
func (r *scenario) send(channel, msgType, content string) error {
	if strings.Contains(msgType+content, "SUBSHELL") {
		content = strings.ReplaceAll(content, "SUBSHELL", r.lastSubshell())
	}
	msgType, sub, _ := strings.Cut(msgType, "@")
	if sub == "SUBSHELL" {
		sub = r.lastSubshell()
	}
	made := time.Now()
	id, frames, err := r.client.Request(msgType, content, func(h *wire.Header) { h.SubshellID = sub })
	if err != nil {
		return err
	}
	frames = append(frames, r.buffers...) // the signature does not cover buffers
	r.buffers = nil
	r.mu.Lock()
	r.ids = append(r.ids, id)
	r.labels[id] = fmt.Sprintf("r%d", len(r.ids))
	if wire.ReplyType(msgType) != "" {
		r.replies[id] = channel
	}
	r.mu.Unlock()
	if r.holdRequests {
		if r.heldRequests == nil {
			r.heldAt = made
		}
		r.heldRequests = append(r.heldRequests, frames)
		return nil
	}
	return r.client.SendRaw(channel, frames)
}

func (r *scenario) addBuffers(list string) error {
	for _, digits := range strings.Fields(list) {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return err
		}
		r.buffers = append(r.buffers, b)
	}
	return nil
}

func (r *scenario) lastSubshell() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.received[Control] {
		if m.Header.MsgType == "create_subshell_reply" {
			if found := subshellID.FindSubmatch(m.Content); found != nil {
				return string(found[1])
			}
		}
	}
	return "none"
}

func (r *scenario) answer(value string) error {
	var ask *wire.Message
	err := r.waitFor("an input_request", func() bool {
		if len(r.received[Stdin]) > r.answered {
			ask = r.received[Stdin][r.answered]
		}
		return ask != nil
	})
	if err != nil {
		return err
	}
	r.answered++
	content, err := json.Marshal(wire.InputReply{Value: value})
	if err != nil {
		return err
	}
	_, err = r.client.Send(Stdin, "input_reply", string(content))
	return err
}

// isIdle reports whether a request's last status is idle. The caller holds r.mu.
func (r *scenario) isIdle(label string) bool { return r.state(label) == wire.Idle }

// state returns a request's last execution state. The caller holds r.mu.
func (r *scenario) state(label string) (state string) {
	for _, m := range r.received[IOPub] {
		if s := State(m); s != "" && r.labels[m.Parent.MsgID] == label {
			state = s
		}
	}
	return state
}

// hasReply reports whether a request has received its reply, or expects none. The caller
// holds r.mu.
func (r *scenario) hasReply(id string) bool {
	channel, due := r.replies[id]
	return !due || slices.ContainsFunc(r.received[channel], func(m *wire.Message) bool { return m.Parent.MsgID == id })
}

// labelHasReply reports the same as hasReply, for a label. The caller holds r.mu.
func (r *scenario) labelHasReply(label string) bool {
	for id, l := range r.labels {
		if l == label {
			return r.hasReply(id)
		}
	}
	return false
}

// hasPublished reports whether a message on iopub contains text. The caller holds r.mu.
func (r *scenario) hasPublished(text string) bool {
	for _, m := range r.received[IOPub] {
		if m.Header.MsgType != "execute_input" && bytes.Contains(m.Content, []byte(text)) {
			return true
		}
	}
	return false
}

func (r *scenario) awaitAll() error {
	for _, id := range r.ids {
		label := r.labels[id]
		done := func() bool { return r.isIdle(label) && r.hasReply(id) }
		if err := r.waitFor("the end of "+label, done); err != nil {
			return err
		}
	}
	return nil
}
