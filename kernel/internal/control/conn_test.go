package control

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
)

func TestRoundTrip(t *testing.T) {
	var wire bytes.Buffer
	c := New(&wire)
	seen := map[string]bool{}
	for _, m := range []Message{
		Run{ID: 7, Object: "o", Fresh: []string{"a"}, Initial: Initial{Known: []string{"v"}}, OutputPipes: []string{"x", "y"}, Trace: "/t"},
		Setup{ID: 8, Dir: "/tmp", Env: []string{"A=1"}, Args: []string{"notebook"}, Memory: -1},
		Reload{ID: 9, Packages: []string{"p"}, Renew: true},
		Drop{Symbols: []string{"main.x"}},
		ListDropped{ID: 10},
		Interrupt{},
		DropStandby{},
		Ack{Seq: 1},
		InputReply{Seq: 2, Text: "line"},
		Comm{Seq: 3, Message: comm.Message{Kind: comm.Msg, ID: "c", Data: json.RawMessage(`{"x":1}`)}},
		Ready{},
		Loaded{ID: 7, Reset: []string{"v"}, UsesOutputPipes: true},
		LoadFailed{ID: 7, Reason: "no symbol", At: &Frame{File: "Cell [1]", Line: 2}},
		Done{ID: 7, ProgramsHoldPipes: true, Outcome: Outcome{How: Panicked, Value: "v", Frames: []Frame{{Func: "f", File: "Cell [1]", Line: 2}}}},
		SetupReply{ID: 8, Error: "no such folder"},
		ReloadReply{ID: 9, Renewed: true},
		DroppedList{ID: 10, Lines: []string{"x"}},
		Display{ID: 3, Seq: 4, Message: displayhost.Message{Kind: displayhost.KindShow, Data: display.Bundle{"text/plain": "a b"}}},
		Result{Display: Display{Seq: 5, Message: displayhost.Message{Kind: displayhost.KindShow, Data: display.Bundle{"application/json": json.RawMessage(`{"a":1.5}`)}}}},
		Print{ID: 3, FD: 2, Bytes: []byte{0, 0xff, 'a'}},
		Notice{ID: 3, Seq: 6, Text: "remark"},
		InputRequest{Seq: 7, Prompt: "? ", Password: true},
		GoroutinePanic{ID: 3, Outcome: Outcome{How: Panicked, Goroutine: "timer"}},
		PendingStops{Count: 2},
		Standby{PID: 12},
	} {
		if seen[m.kind()] {
			t.Errorf("%T has the kind %s of another message", m, m.kind())
		}
		seen[m.kind()] = true
		if err := c.Send(m); err != nil {
			t.Fatal(err)
		}
		got, err := c.Receive()
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%+v, %v, want %+v", got, err, m)
		}
	}
	if _, err := c.Receive(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestSendRefuses(t *testing.T) {
	var wire bytes.Buffer
	err := New(&wire).Send(Display{Message: displayhost.Message{Data: display.Bundle{"x": func() {}}}})
	if encode := (*EncodeError)(nil); !errors.As(err, &encode) {
		t.Errorf("a function as data: %v", err)
	}
	if wire.Len() > 0 {
		t.Errorf("%d bytes were written", wire.Len())
	}
}

func frame(length uint32, body string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, length), body...)
}

func TestReceiveRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		in   []byte
		want string // "" for the end of the connection
	}{
		"cut length":  {[]byte{1, 0}, ""},
		"cut body":    {frame(100, "ready {}"), ""},
		"huge length": {frame(MaxFrame+1, "{}"), "length"},
		"empty":       {frame(0, ""), "malformed"},
		"no kind":     {frame(3, " {}"), "malformed"},
		"other kind":  {frame(6, "ran {}"), `unknown kind "ran"`},
		"no body":     {frame(5, "ready"), "malformed"},
		"no JSON":     {frame(9, "ready {{{"), "malformed"},
		"a list":      {frame(8, "ready []"), "malformed"},
		"two values":  {frame(10, "ready {}{}"), "malformed"},
	} {
		_, err := New(bytes.NewBuffer(test.in)).Receive()
		if test.want == "" && !errors.Is(err, io.EOF) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReceive: for any bytes that a worker process sends, Receive returns messages or an
// error, and allocates memory only in proportion to the bytes.
func FuzzReceive(f *testing.F) {
	f.Add(frame(7, `done {}`))
	f.Add(append(frame(9, `ready {} `), frame(0xffffffff, "")...))
	f.Add(frame(28, `print {"fd":1,"bytes":"AA=="}`))
	f.Add(frame(21, `done {"outcome":null}`))
	f.Add(frame(59, `comm {"message":{"kind":"msg","id":"a","buffers":["AA=="]}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		c := New(bytes.NewBuffer(in))
		for n := 0; ; n++ {
			m, err := c.Receive()
			if err != nil {
				return
			}
			if n > len(in)/4 {
				t.Fatal("more messages than fit")
			}
			var again bytes.Buffer
			if err := New(&again).Send(m); err != nil {
				t.Fatalf("what was received cannot be sent: %v", err)
			}
		}
	})
}

// A message that is too large is refused, and the next one is sent.
func TestTooLarge(t *testing.T) {
	var wire bytes.Buffer
	c := New(&wire)
	large := Result{Display: Display{Message: displayhost.Message{Kind: displayhost.KindShow, Data: display.Bundle{"text/plain": strings.Repeat("x", MaxFrame)}}}}
	err := c.Send(large)
	if _, ok := errors.AsType[*EncodeError](err); !ok || !strings.Contains(err.Error(), "exceed the limit of 256 MB") {
		t.Errorf("the error is %v", err)
	}
	if wire.Len() > 0 {
		t.Errorf("%d bytes were sent", wire.Len())
	}
	if err := c.Send(Ack{Seq: 1}); err != nil {
		t.Error(err)
	}
	if m, err := c.Receive(); err != nil || m != (Ack{Seq: 1}) {
		t.Errorf("received %v, %v", m, err)
	}
}
