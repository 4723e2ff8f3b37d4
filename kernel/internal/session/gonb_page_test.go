package session

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// gonbProgram uses the protocol of GoNB's package comms.
const gonbProgram = `type DisplayData struct {
	Data      map[string]any
	Metadata  map[string]any
	DisplayID string
}
type CommValue struct {
	Address string
	Request bool
	Value   any
}
type CommSubscription struct {
	Address     string
	Unsubscribe bool
}
const protocol = "github.com/janpfeifer/gonb/gonbui/protocol."
gob.RegisterName(protocol+"CommValue", CommValue{})
gob.RegisterName(protocol+"CommSubscription", CommSubscription{})
gob.Register([]float64{})
gob.Register(map[string]string{})
pipe, _ := os.OpenFile(os.Getenv("GONB_PIPE"), os.O_WRONLY, 0)
back, _ := os.Open(os.Getenv("GONB_PIPE_BACK"))
enc, dec := gob.NewEncoder(pipe), gob.NewDecoder(back)
func say(kind string, v any) {
	if err := enc.Encode(DisplayData{Data: map[string]any{kind: v}}); err != nil {
		panic(err)
	}
}
func send(address string, v any) { say("gonb/comm_value", CommValue{Address: address, Value: v}) }
func want(address string, not bool) { say("gonb/comm_subscribe", CommSubscription{address, not}) }
func receive() {
	var v CommValue
	err := dec.Decode(&v)
	fmt.Printf("%s %T %v %v\n", v.Address, v.Value, v.Value, err)
}`

func page(t *testing.T, s *Session, kind, id, data string) {
	t.Helper()
	m := output.Comm{Kind: kind, ID: id, Data: json.RawMessage(data)}
	if kind == output.CommOpen {
		m.Target = "gonb_comm"
	}
	if err := s.Comm(m); err != nil {
		t.Fatal(err)
	}
}

// TestGonbPage: cells exchange values with addresses in a page. Values that cells send
// before the page has answered wait, and a cell gets only values that it subscribed to.
func TestGonbPage(t *testing.T) {
	s := newTestSession(t)
	s.cfg.KernelID = "kernel-id"
	execute(t, s, "%restart") // the new worker process has the identifier, too
	execute(t, s, gonbProgram)

	tr := &transcript{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Execute(t.Context(), output.Request{StoreHistory: true, Code: "want(\"here\", false)\nsend(\"there\", 7)\nfor range 4 { receive() }\nwant(\"here\", true)"}, tr)
	}()
	eventually(t, "the script", func() bool { return strings.Contains(tr.text(), `kernel = "kernel-id"`) })
	page(t, s, output.CommOpen, "1", "{}")
	eventually(t, "the value that waited", func() bool { return strings.Contains(tr.text(), `{"address":"there","value":7}`) })
	for _, data := range []string{
		`{"address":"nobody wants it","value":1}`,
		`{"address":"here","value":[1,"a"]}`,
		`{"address":"here","value":1.5}`, `{"address":"here","value":"text"}`,
		`{"address":"here","value":[1,2]}`, `{"address":"here","value":{"a":"b"}}`,
	} {
		page(t, s, output.CommMsg, "1", data)
	}
	<-ended
	mustContain(t, tr.text(),
		"[update text/html]", `cannot pass on the value that the page sends to "here": the value is a []interface {}`,
		"here float64 1.5 <nil>\nhere string text <nil>\nhere []float64 [1 2] <nil>\nhere map[string]string map[a:b] <nil>")
	if strings.Contains(tr.text(), "nobody wants it") {
		t.Errorf("a value arrived that nobody asked for:\n%s", tr.text())
	}

	// The page may have been reloaded: the next cell asks again, and the page answers with another comm.
	again := &transcript{}
	s.Execute(t.Context(), output.Request{StoreHistory: true, Code: "%widgets\nsend(\"there\", \"more\")"}, again)
	page(t, s, output.CommOpen, "2", "{}")
	eventually(t, "the second answer", func() bool { return strings.Contains(again.text(), `{"address":"there","value":"more"}`) })
}

// TestGonbWithoutPage: if there is no page, a cell that waits for the page ends and says why.
func TestGonbWithoutPage(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, gonbProgram)
	got := execute(t, s, "want(\"here\", false)\nreceive()")
	mustContain(t, got, "need a page that runs scripts, but there is none", "[error Interrupted]")
}
