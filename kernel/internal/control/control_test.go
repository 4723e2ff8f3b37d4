package control

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	var wire bytes.Buffer
	c := New(&wire)
	for _, m := range []Message{
		{Kind: Run, ID: 7, Object: "o", Fresh: []string{"a"}, Outlets: []string{"x", "y"}},
		{Kind: Print, ID: 3, Stream: 2, Bytes: []byte{0, 0xff, 'a'}},
		{Kind: Done, ID: 7, Held: true, Outcome: &Outcome{How: Panicked, Value: "v", Frames: []Frame{{Func: "f", File: "Cell [1]", Line: 2}}}},
	} {
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

func frame(length uint32, body string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, length), body...)
}

func TestReceiveRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		in   []byte
		want string // "" for the end of the connection
	}{
		"cut length":  {[]byte{1, 0}, ""},
		"cut body":    {frame(100, "{}"), ""},
		"huge length": {frame(MaxFrame+1, "{}"), "length"},
		"empty":       {frame(0, ""), "malformed"},
		"no JSON":     {frame(3, "{{{"), "malformed"},
		"a list":      {frame(2, "[]"), "malformed"},
		"two values":  {frame(4, "{}{}"), "malformed"},
	} {
		_, err := New(bytes.NewBuffer(test.in)).Receive()
		if test.want == "" && !errors.Is(err, io.EOF) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReceive: whatever a worker sends, the kernel ends with messages or an
// error, and takes no more memory than it was sent.
func FuzzReceive(f *testing.F) {
	f.Add(frame(15, `{"kind":"done"}`))
	f.Add(append(frame(17, `{"kind":"ready"} `), frame(0xffffffff, "")...))
	f.Add(frame(40, `{"kind":"print","stream":1,"bytes":"AA=="}`))
	f.Add(frame(16, `{"outcome":null}`))
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
