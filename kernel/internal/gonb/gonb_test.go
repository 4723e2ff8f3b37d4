package gonb

import (
	"bytes"
	"encoding/gob"
	"reflect"
	"strings"
	"testing"
)

// program stands for gonbui in another process: it has its own encoder and types.
type program struct {
	bytes.Buffer
	gob *gob.Encoder
}

func newProgram() *program {
	registerOnce()
	p := &program{}
	p.gob = gob.NewEncoder(p)
	return p
}

func (p *program) say(t *testing.T, data map[mimeType]any, id string) {
	t.Helper()
	if err := p.gob.Encode(&displayData{Data: data, DisplayID: id}); err != nil {
		t.Fatal(err)
	}
}

func sample(t *testing.T) (*program, []Message) {
	p := newProgram()
	p.say(t, map[mimeType]any{"text/html": "<b>x</b>"}, "")
	p.say(t, map[mimeType]any{"image/png": []byte{0x89, 'P'}, "text/plain": []byte("é")}, "id")
	p.say(t, map[mimeType]any{keyInput: &Input{Prompt: "Name:", Password: true}}, "")
	p.say(t, map[mimeType]any{keyValue: &Value{Address: "/slider", Value: 7}}, "")
	p.say(t, map[mimeType]any{keyValue: &Value{Address: "/list", Value: []string{"a"}}}, "")
	p.say(t, map[mimeType]any{keySubscribe: &Subscription{Address: "/slider"}}, "")
	p.say(t, map[mimeType]any{keyValue: &Value{Address: addressSync, Value: 3}}, "")
	return p, []Message{
		Display{Data: map[string]any{"text/html": "<b>x</b>"}},
		Display{Data: map[string]any{"image/png": "iVA=", "text/plain": "é"}, DisplayID: "id"},
		Input{Prompt: "Name:", Password: true},
		Value{Address: "/slider", Value: 7},
		Value{Address: "/list", Value: []string{"a"}},
		Subscription{Address: "/slider"},
		Sync{3},
	}
}

func TestDecoder(t *testing.T) {
	for _, size := range []int{1 << 20, 7, 1} {
		p, want := sample(t)
		var d Decoder
		var got []Message
		for p.Len() > 0 {
			list, err := d.Write(p.Next(size))
			if err != nil {
				t.Fatalf("in pieces of %d: %v", size, err)
			}
			got = append(got, list...)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("in pieces of %d:\n%#v\nwant\n%#v", size, got, want)
		}
	}
}

// TestDecoderUnknown: an invalid message does not affect the next one.
func TestDecoderUnknown(t *testing.T) {
	p := newProgram()
	p.say(t, map[mimeType]any{keyInput: "no request"}, "")
	p.say(t, map[mimeType]any{"text/plain": "after"}, "")
	var d Decoder
	got, err := d.Write(p.Bytes())
	if err == nil || !strings.Contains(err.Error(), "has the wrong type string") || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDecoderGarbage(t *testing.T) {
	for _, b := range []string{"\xf0garbage", "\xfc\xff\xff\xff\xff"} {
		var d Decoder
		if _, err := d.Write([]byte(b)); err == nil {
			t.Errorf("%q was taken", b)
		}
		if got, err := d.Write([]byte("more")); got != nil || err != nil {
			t.Errorf("after %q: %v, %v", b, got, err)
		}
	}
}

func TestEncoder(t *testing.T) {
	var buf bytes.Buffer
	e := NewEncoder(&buf)
	dec := gob.NewDecoder(&buf)
	for _, want := range []Value{Sync{3}.Ack(), {Address: "/x", Value: 1.5}, {Address: "/y", Value: map[string]any{"a": 1}}} {
		if err := e.Send(want); err != nil {
			t.Fatal(err)
		}
		var got Value
		if err := dec.Decode(&got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v, %v, want %#v", got, err, want)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	p := newProgram()
	_ = p.gob.Encode(&displayData{Data: map[mimeType]any{"text/html": "x", keyValue: &Value{Address: "/a", Value: []int{1}}}})
	f.Add(p.Bytes(), 3)
	f.Add([]byte("\x03\xff\x81"), 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = max(0, min(cut, len(b)))
		var d Decoder
		first, err1 := d.Write(b[:cut])
		second, err2 := d.Write(b[cut:])
		if len(first)+len(second) > len(b) {
			t.Errorf("%d messages of %d bytes, %v, %v", len(first)+len(second), len(b), err1, err2)
		}
	})
}
