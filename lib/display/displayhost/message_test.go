package displayhost

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func TestMessageSurvivesEncoding(t *testing.T) {
	in := Message{
		Kind: KindUpdate, ID: "a", Wait: true,
		Data:     map[string]any{"text/plain": "<é>\n", "application/json": json.RawMessage(`{"b":12345678901234567890,"a":1}`)},
		Metadata: map[string]any{"image/png": map[string]any{"width": 3.0}},
	}
	data, err := in.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var out Message
	if err := out.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v, want %+v", out, in)
	}
}

func TestMessageRefusesWhatItIsNot(t *testing.T) {
	for _, bad := range []string{"", "{", `{"kind":"paint"}`, `{"kind":"show","data":3}`} {
		m := Message{Kind: KindShow}
		if err := m.UnmarshalBinary([]byte(bad)); err == nil {
			t.Errorf("%q was accepted as %+v", bad, m)
		}
	}
	if _, err := (Message{Data: map[string]any{"application/json": make(chan int)}}).MarshalBinary(); err == nil {
		t.Error("a channel was encoded")
	}
}

// encoding/json checks a message as UnmarshalBinary does, and a decoded message
// replaces all fields.
func TestMessageFromJSON(t *testing.T) {
	m := Message{Kind: KindShow, ID: "old", Data: map[string]any{"a": 1}}
	if err := json.Unmarshal([]byte(`{"kind":"paint","id":"new"}`), &m); err == nil || m.ID != "old" {
		t.Errorf("error %v, then %+v", err, m)
	}
	if err := json.Unmarshal([]byte(`{"kind":"show","data":{"a/json":{"z":1,"a":null},"b/json":null}}`), &m); err != nil {
		t.Fatal(err)
	}
	want := Message{Kind: KindShow, Data: map[string]any{
		"a/json": json.RawMessage(`{"z":1,"a":null}`), "b/json": json.RawMessage("null"),
	}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

func TestSendWithoutHostAndWith(t *testing.T) {
	if Hosted() {
		t.Fatal("a test has a host")
	}
	var got []Message
	SetSink(func(m Message) error { got = append(got, m); return nil })
	if err := Send(Message{Kind: KindClear, Wait: true}); err != nil || !Hosted() {
		t.Errorf("error %v, hosted %v", err, Hosted())
	}
	SetSink(nil)
	if err := Send(Message{Kind: KindClear}); err != nil || Hosted() || len(got) != 1 || !got[0].Wait {
		t.Errorf("error %v, hosted %v, received %+v", err, Hosted(), got)
	}
}

func TestWithoutHostTextIsPrinted(t *testing.T) {
	var out bytes.Buffer
	for _, m := range []Message{
		{Kind: KindShow, Data: map[string]any{"text/plain": "one"}},
		{Kind: KindUpdate, Data: map[string]any{"text/plain": "two\n"}},
		{Kind: KindClear},
	} {
		if err := printText(&out, m); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "one\ntwo\n" {
		t.Errorf("printed %q", out.String())
	}
}
