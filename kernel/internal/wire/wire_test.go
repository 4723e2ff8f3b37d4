package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

func newSigner(t testing.TB) *Signer {
	t.Helper()
	s, err := NewSigner("hmac-sha256", "a key")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// frames returns a message of the given parts with a valid signature.
func frames(s *Signer, header, parent, metadata, content string) [][]byte {
	parts := [][]byte{[]byte(header), []byte(parent), []byte(metadata), []byte(content)}
	return append([][]byte{[]byte(delimiter), s.sign(parts)}, parts...)
}

const header = `{"msg_id":"m1","session":"s","username":"u","date":"2026-01-02T03:04:05.678901Z","msg_type":"execute_request","version":"5.5"}`

func TestRoundTrip(t *testing.T) {
	out := &Outgoing{
		Envelope: [][]byte{[]byte("peer")},
		Header:   Header{MsgID: "m", Session: "s", Date: Timestamp(time.Unix(0, 0))},
		Parent:   json.RawMessage(`{"msg_id":"p","extra":[1, 2]}`),
		Content:  &Stream{Name: "stdout", Text: "a < b & c 😀"},
		Buffers:  [][]byte{{1, 2}, {}},
	}
	encoded, err := newSigner(t).Encode(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := newSigner(t).Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.MsgType != "stream" || m.Parent.MsgID != "p" || len(m.Buffers) != 2 || string(m.Envelope[0]) != "peer" {
		t.Errorf("got %+v", m)
	}
	if want := `{"name":"stdout","text":"a < b & c 😀"}`; string(m.Content) != want {
		t.Errorf("content %s, want %s", m.Content, want)
	}
	if when, ok := m.Header.Time(); !ok || !when.Equal(time.Unix(0, 0)) {
		t.Errorf("date %q", m.Header.Date)
	}
}

func TestDecodeKeepsTheHeaderToTheLetter(t *testing.T) {
	s := newSigner(t)
	odd := `{ "msg_id":"m1", "msg_type":"x", "unknown": {"a":1.50} }`
	m, err := s.Decode(frames(s, odd, "{}", "{}", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	if string(m.RawHeader) != odd {
		t.Errorf("raw header %s", m.RawHeader)
	}
}

func TestDecodeRefuses(t *testing.T) {
	s := newSigner(t)
	good := func() [][]byte { return frames(s, header, "{}", "{}", "{}") }
	change := func(i int, to string) [][]byte {
		f := good()
		f[i] = []byte(to)
		return f
	}
	many := func(n int) [][]byte { return append(good(), make([][]byte, n)...) }
	tests := map[string][][]byte{
		"nothing":             nil,
		"no delimiter":        good()[1:],
		"delimiter too late":  append(make([][]byte, MaxEnvelope+1), good()...),
		"too few frames":      good()[:5],
		"too many frames":     many(MaxFrames),
		"too large":           append(good(), make([]byte, MaxMessage)),
		"wrong signature":     change(1, strings.Repeat("0", 64)),
		"short signature":     change(1, "abc"),
		"empty signature":     change(1, ""),
		"upper-case nonsense": change(1, strings.Repeat("Z", 64)),
		"changed content":     change(5, `{"code":"x"}`),
		"header not JSON":     frames(s, "{", "{}", "{}", "{}"),
		"header a list":       frames(s, "[]", "{}", "{}", "{}"),
		"header null":         frames(s, "null", "{}", "{}", "{}"),
		"no msg_type":         frames(s, `{"msg_id":"m"}`, "{}", "{}", "{}"),
		"no msg_id":           frames(s, `{"msg_type":"m"}`, "{}", "{}", "{}"),
		"msg_id a number":     frames(s, `{"msg_type":"m","msg_id":1}`, "{}", "{}", "{}"),
		"parent not JSON":     frames(s, header, "x", "{}", "{}"),
		"metadata a list":     frames(s, header, "{}", "[]", "{}"),
		"metadata empty":      frames(s, header, "{}", "", "{}"),
		"content not JSON":    frames(s, header, "{}", "{}", `{"code":`),
		"content a string":    frames(s, header, "{}", "{}", `"x"`),
		"huge header":         frames(s, `{"msg_id":"`+strings.Repeat("m", MaxHeader)+`"}`, "{}", "{}", "{}"),
		"huge msg_id":         frames(s, `{"msg_type":"t","msg_id":"`+strings.Repeat("m", maxIdentifier+1)+`"}`, "{}", "{}", "{}"),
		"deep nesting":        frames(s, header, "{}", "{}", strings.Repeat(`{"a":`, 20000)+"1"+strings.Repeat("}", 20000)),
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			if m, err := s.Decode(f); err == nil {
				t.Errorf("accepted as %+v", m.Header)
			}
		})
	}
}

func TestReplay(t *testing.T) {
	s := newSigner(t)
	f := frames(s, header, "{}", "{}", "{}")
	if _, err := s.Decode(f); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decode(append([][]byte{[]byte("someone else")}, f...)); !errors.Is(err, ErrReplayed) {
		t.Errorf("second time: %v, want ErrReplayed", err)
	}
	upper := append([][]byte(nil), f...)
	upper[1] = []byte(strings.ToUpper(string(f[1])))
	if _, err := s.Decode(upper); !errors.Is(err, ErrReplayed) {
		t.Errorf("with the signature in capitals: %v, want ErrReplayed", err)
	}
}

func TestSeenSignaturesAreBounded(t *testing.T) {
	s := newSigner(t)
	for i := range signaturesKept + 100 {
		if err := s.remember(digest{byte(i), byte(i >> 8), byte(i >> 16)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.seen) != signaturesKept || len(s.ring) != signaturesKept {
		t.Errorf("%d seen, %d in the ring, want %d", len(s.seen), len(s.ring), signaturesKept)
	}
	if err := s.remember(digest{byte(200)}); !errors.Is(err, ErrReplayed) {
		t.Errorf("a late one: %v, want ErrReplayed", err)
	}
}

func TestNoKeyMeansNoSignature(t *testing.T) {
	s, err := NewSigner("", "")
	if err != nil {
		t.Fatal(err)
	}
	f := frames(s, header, "{}", "{}", "{}")
	if len(f[1]) != 0 {
		t.Errorf("signature %q, want none", f[1])
	}
	for range 2 {
		if _, err := s.Decode(f); err != nil {
			t.Error(err)
		}
	}
	if _, err := NewSigner("hmac-md5", "key"); err == nil {
		t.Error("hmac-md5 was accepted")
	}
}

func TestDecodeContentDefaults(t *testing.T) {
	m := &Message{Header: Header{MsgType: "execute_request"}, Content: json.RawMessage(`{"code":"x"}`)}
	c, err := m.DecodeContent()
	if err != nil {
		t.Fatal(err)
	}
	code := "x"
	if want := (&ExecuteRequest{Code: &code, StoreHistory: true, StopOnError: true}); !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestDecodeContentRefuses(t *testing.T) {
	for _, test := range []struct{ msgType, content, want string }{
		{"execute_request", `{}`, `"code"`},
		{"execute_request", `{"code":null}`, `"code"`},
		{"execute_request", `{"code":"x","silent":"yes"}`, "silent"},
		{"complete_request", `{"code":"x","cursor_pos":"1"}`, "cursor_pos"},
		{"comm_open", `{"target_name":"t"}`, `"comm_id"`},
		{"delete_subshell_request", `{}`, `"subshell_id"`},
		{"frobnicate", `{}`, "frobnicate"},
	} {
		m := &Message{Header: Header{MsgType: test.msgType}, Content: json.RawMessage(test.content)}
		if _, err := m.DecodeContent(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: error %v, want one that names %s", test.msgType, test.content, err, test.want)
		}
	}
}

// TestEveryRequestTypeIsNamedOnce checks that NewContent and MsgType agree.
func TestEveryRequestTypeIsNamedOnce(t *testing.T) {
	for _, name := range []string{
		"kernel_info_request", "usage_request", "execute_request", "complete_request", "inspect_request",
		"is_complete_request", "history_request", "comm_info_request", "comm_open", "comm_msg",
		"comm_close", "shutdown_request", "interrupt_request", "create_subshell_request",
		"delete_subshell_request", "list_subshell_request", "debug_request", "input_reply",
	} {
		c := NewContent(name)
		if c == nil || c.MsgType() != name {
			t.Errorf("NewContent(%q) is %T of type %v", name, c, c)
		}
	}
}

func TestHistoryItem(t *testing.T) {
	for _, test := range []struct {
		item HistoryItem
		want string
	}{
		{HistoryItem{Session: 1, Line: 2, Input: "x"}, `[1,2,"x"]`},
		{HistoryItem{Session: 1, Line: 2, Input: "x", Output: "3", WithOutput: true}, `[1,2,["x","3"]]`},
		{HistoryItem{Session: 1, Line: 2, Input: "x", WithOutput: true}, `[1,2,["x",null]]`},
	} {
		if got, err := json.Marshal(test.item); err != nil || string(got) != test.want {
			t.Errorf("%+v is %s, %v; want %s", test.item, got, err, test.want)
		}
	}
}

func TestEncodeReportsWhatJSONCannotHold(t *testing.T) {
	_, err := newSigner(t).Encode(&Outgoing{Content: &DisplayData{Data: output.Bundle{"application/json": func() {}}}})
	if err == nil || !strings.Contains(err.Error(), "display_data") {
		t.Errorf("error %v, want one that names display_data", err)
	}
}

func FuzzDecode(f *testing.F) {
	s := newSigner(f)
	add := func(frames [][]byte) { f.Add(join(frames)) }
	add(frames(s, header, "{}", "{}", `{"code":"x"}`))
	add(frames(s, header, "null", "{}", `{"code":1}`))
	add(append([][]byte{[]byte("id")}, frames(s, header, header, "{}", "{}")...))
	add(append(frames(s, header, "{}", "{}", `{"comm_id":"c"}`), []byte{0, 1, 0x80}, nil))
	f.Fuzz(func(t *testing.T, joined []byte) {
		frames := split(joined)
		// No message is accepted if the sender does not have the key.
		stranger, err := NewSigner("hmac-sha256", "another key")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stranger.Decode(frames); err == nil {
			t.Error("accepted a message with a wrong signature")
		}
		// The same frames are accepted with a valid signature.
		s := newSigner(t)
		at, err := checkShape(frames)
		if err != nil {
			return
		}
		parts := frames[at+1:]
		parts[partSignature] = s.sign(parts[partHeader:partCount])
		m, err := s.Decode(frames)
		if err != nil {
			return
		}
		if c, err := m.DecodeContent(); err == nil && c.MsgType() != m.Header.MsgType {
			t.Errorf("%s decoded as %s", m.Header.MsgType, c.MsgType())
		}
		if want := frames[at+1+partCount:]; !reflect.DeepEqual(m.Buffers, want) {
			t.Errorf("buffers %q, want %q", m.Buffers, want)
		}
		reply := &Outgoing{Envelope: m.Envelope, Parent: m.RawHeader, Content: &Failure{ReplyType: "x_reply"}, Buffers: m.Buffers}
		encoded, err := s.Encode(reply)
		if err != nil {
			t.Fatalf("cannot answer: %v", err)
		}
		if !json.Valid(encoded[len(m.Envelope)+1+partParent]) {
			t.Errorf("the answer's parent is not JSON: %s", m.RawHeader)
		}
		if got := encoded[len(m.Envelope)+1+partCount:]; !reflect.DeepEqual(got, m.Buffers) {
			t.Errorf("the answer's buffers are %q, want %q", got, m.Buffers)
		}
	})
}

// join and split convert frames to and from one fuzzed value, with 0 as the escape byte.
func join(frames [][]byte) []byte {
	var all []string
	for _, f := range frames {
		all = append(all, strings.ReplaceAll(string(f), "\x00", "\x00\x01"))
	}
	return []byte(strings.Join(all, "\x00\x00"))
}

func split(joined []byte) [][]byte {
	var frames [][]byte
	for _, f := range strings.Split(string(joined), "\x00\x00") {
		frames = append(frames, []byte(strings.ReplaceAll(f, "\x00\x01", "\x00")))
	}
	return frames
}

func BenchmarkEncodeStream(b *testing.B) {
	s := newSigner(b)
	text := strings.Repeat(fmt.Sprintf("%063d\n", 7), 1024)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := s.Encode(&Outgoing{Content: &Stream{Name: "stdout", Text: text}}); err != nil {
			b.Fatal(err)
		}
	}
}
