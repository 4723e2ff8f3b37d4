// Package kerneltest helps to test the kernel's protocol. It has a session whose cells are
// scripts, a client that acts as a front end, and a runner for scenarios in text files.
package kerneltest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A Fake is an output.Session whose cells are scripts with one command in each line:
//
//	print TEXT           a line on stdout        eprint TEXT   one on stderr
//	write QUOTED         a Go string literal on stdout, without a newline
//	display MIME TEXT    show ID MIME TEXT       update ID MIME TEXT
//	result TEXT          the cell's value        clear [wait]
//	error NAME VALUE     fails the cell          sleep DURATION
//	input PROMPT         prints the answer       password PROMPT
//	hold                 runs until it is interrupted
//	gate NAME            runs until Release(NAME)
//	late NAME TEXT       prints after Release(NAME), from a goroutine
//	page TEXT            shows it in the front end's pager
//	flood BYTES          prints numbered lines of 64 bytes, BYTES in total
type Fake struct {
	turn sync.Mutex // held while a cell runs

	mu        sync.Mutex // guards the fields below
	count     int
	history   []output.HistoryEntry
	interrupt context.CancelFunc // interrupts the running cell
	gates     map[string]chan struct{}
	closed    bool
	comms     map[string]string // targets of open comms
	sink      output.Sink       // sink of the last cell
	late      sync.WaitGroup
}

var _ output.Session = (*Fake)(nil)

// NewFake returns a session without executed cells.
func NewFake() *Fake {
	return &Fake{gates: make(map[string]chan struct{}), comms: make(map[string]string)}
}

// Release opens a gate. The gate stays open.
func (f *Fake) Release(name string) {
	g := f.gate(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-g:
	default:
		close(g)
	}
}

func (f *Fake) gate(name string) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.gates[name]
	if g == nil {
		g = make(chan struct{})
		f.gates[name] = g
	}
	return g
}

// Executed returns the code of the cells that were run and stored, oldest first.
func (f *Fake) Executed() []string {
	var code []string
	for _, h := range f.History() {
		code = append(code, h.Input)
	}
	return code
}

func (f *Fake) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	f.turn.Lock()
	defer f.turn.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return fail(output.Reply{}, "Closed", "the session is closed")
	}
	f.interrupt, f.sink = cancel, sink
	if !req.Silent {
		f.count++
	}
	reply := output.Reply{Status: output.OK, ExecutionCount: f.count}
	f.mu.Unlock()

	sink.Started(reply.ExecutionCount)
	var value string
	for line := range strings.Lines(req.Code) {
		if text, ok := strings.CutPrefix(line, "page "); ok {
			reply.Page = output.Bundle{"text/plain": text}
			continue
		}
		if err := f.step(ctx, strings.TrimSuffix(line, "\n"), sink, &value); err != nil {
			reply = fail(reply, err.Name, err.Value)
			break
		}
	}
	f.finish(req, &reply, value)
	return reply
}

func fail(r output.Reply, name, value string) output.Reply {
	r.Status = output.Failed
	r.Error = &output.Error{Name: name, Value: value, Traceback: []string{"Cell [" + strconv.Itoa(r.ExecutionCount) + "] line 1", name + ": " + value}}
	return r
}

func (f *Fake) finish(req output.Request, reply *output.Reply, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.interrupt = nil
	if req.StoreHistory {
		f.history = append(f.history, output.HistoryEntry{Session: 1, Line: reply.ExecutionCount, Input: req.Code, Output: value})
	}
	reply.UserExpressions = make(map[string]output.ExpressionResult)
	for name, code := range req.UserExpressions {
		if text, ok := strings.CutPrefix(code, "result "); ok {
			reply.UserExpressions[name] = output.ExpressionResult{Data: output.Bundle{"text/plain": text}}
			continue
		}
		reply.UserExpressions[name] = output.ExpressionResult{Error: &output.Error{Name: "Undefined", Value: code}}
	}
}

// step runs one line of a cell.
func (f *Fake) step(ctx context.Context, line string, sink output.Sink, value *string) *output.Error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "":
	case "print":
		sink.Stream(output.Stdout, rest+"\n")
	case "eprint":
		sink.Stream(output.Stderr, rest+"\n")
	case "write":
		text, err := strconv.Unquote(rest)
		if err != nil {
			return &output.Error{Name: "BadScript", Value: line}
		}
		sink.Stream(output.Stdout, text)
	case "display":
		mime, text, _ := strings.Cut(rest, " ")
		sink.Display(output.Display{Data: output.Bundle{mime: text}})
	case "show", "update":
		id, rest, _ := strings.Cut(rest, " ")
		mime, text, _ := strings.Cut(rest, " ")
		sink.Display(output.Display{Data: output.Bundle{mime: text}, DisplayID: id, Update: verb == "update"})
	case "result":
		*value = rest
		sink.Result(output.Bundle{"text/plain": rest}, nil)
	case "clear":
		sink.Clear(rest == "wait")
	case "error":
		name, text, _ := strings.Cut(rest, " ")
		return &output.Error{Name: name, Value: text}
	case "flood":
		flood(rest, sink)
	default:
		return f.wait(ctx, verb, rest, sink)
	}
	return nil
}

// wait runs a line that may take time, such as one with sleep or input.
func (f *Fake) wait(ctx context.Context, verb, rest string, sink output.Sink) *output.Error {
	interrupted := &output.Error{Name: "Interrupted", Value: "the cell was interrupted"}
	switch verb {
	case "input", "password":
		text, err := sink.Input(ctx, rest, verb == "password")
		if err != nil {
			return &output.Error{Name: "InputError", Value: err.Error()}
		}
		sink.Stream(output.Stdout, text+"\n")
		return nil
	case "hold":
		<-ctx.Done()
		return interrupted
	case "sleep":
		d, _ := time.ParseDuration(rest)
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return interrupted
		}
	case "gate":
		select {
		case <-f.gate(rest):
			return nil
		case <-ctx.Done():
			return interrupted
		}
	case "late":
		name, text, _ := strings.Cut(rest, " ")
		gate := f.gate(name)
		f.late.Go(func() {
			<-gate
			sink.Stream(output.Stdout, text+"\n")
		})
		return nil
	}
	return &output.Error{Name: "Undefined", Value: verb}
}

// FloodLine returns line i of the output of "flood".
func FloodLine(i int) string { return fmt.Sprintf("%063d\n", i) }

func flood(size string, sink output.Sink) {
	n, _ := strconv.Atoi(size)
	const batch = 512
	var text strings.Builder
	for i := 0; i < n/64; i++ {
		text.WriteString(FloodLine(i))
		if i%batch == batch-1 {
			sink.Stream(output.Stdout, text.String())
			text.Reset()
		}
	}
	sink.Stream(output.Stdout, text.String())
}

// IsComplete reports code that ends in "(" as incomplete, and code that ends in ")(" as invalid.
func (f *Fake) IsComplete(code string) output.Completeness {
	switch {
	case strings.HasSuffix(code, ")("):
		return output.Completeness{Status: "invalid"}
	case strings.HasSuffix(code, "("):
		return output.Completeness{Status: "incomplete", Indent: "\t"}
	}
	return output.Completeness{Status: "complete"}
}

// Complete completes some commands of scripts.
func (f *Fake) Complete(_ context.Context, code string, cursor int) (output.Completion, error) {
	start := strings.LastIndexAny(code[:cursor], " \n😀") + 1
	if i := strings.LastIndex(code[:cursor], "😀"); i >= 0 && i+4 > start {
		start = i + 4
	}
	c := output.Completion{Start: start, End: cursor}
	for _, word := range []string{"display", "print", "result"} {
		if strings.HasPrefix(word, code[start:cursor]) {
			c.Matches = append(c.Matches, output.Match{Text: word, Type: "function", Signature: "(text)"})
		}
	}
	return c, nil
}

// Inspect returns a text about the word before the cursor.
func (f *Fake) Inspect(_ context.Context, code string, cursor, detail int) (output.Inspection, error) {
	word := code[strings.LastIndex(code[:cursor], " ")+1 : cursor]
	if word == "" {
		return output.Inspection{}, nil
	}
	text := fmt.Sprintf("%s at byte %d, detail %d", word, cursor, detail)
	return output.Inspection{Found: true, Data: output.Bundle{"text/plain": text}}, nil
}

func (f *Fake) History() []output.HistoryEntry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]output.HistoryEntry(nil), f.history...)
}

func (f *Fake) Interrupt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.interrupt != nil {
		f.interrupt()
	}
}

func (f *Fake) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.Interrupt()
	return nil
}

// Comm implements two comm targets: echo, which sends each message back through the sink of
// the last cell, and jupyter.widget, which sends nothing.
func (f *Fake) Comm(m output.Comm) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case m.Kind == output.CommOpen && (m.Target == "echo" || m.Target == "jupyter.widget"):
		f.comms[m.ID] = m.Target
	case f.comms[m.ID] == "":
		return errors.New("no handler is registered for the comm")
	case m.Kind == output.CommMsg && f.comms[m.ID] == "echo" && f.sink != nil:
		f.sink.Comm(output.Comm{Kind: output.CommMsg, ID: m.ID, Data: m.Data, Metadata: map[string]any{"echo": true}, Buffers: m.Buffers})
	case m.Kind == output.CommClose:
		delete(f.comms, m.ID)
	}
	return nil
}
