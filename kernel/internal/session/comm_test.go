package session

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// TestComm: the front end opens a comm, and a cell's handler answers its messages. The comm is closed when the worker
// process dies.
func TestComm(t *testing.T) {
	s := newTestSession(t)
	front := output.Comm{Kind: output.CommOpen, ID: "1", Target: "echo"}
	tr := &transcript{}
	s.Execute(t.Context(), output.Request{StoreHistory: true, Code: `import "github.com/perijove/perijove/lib/comm"
comm.Register("echo", func(c *comm.Comm, _ json.RawMessage) {
	c.ReceiveBuffers(func(data json.RawMessage, buffers [][]byte) {
		if string(data) == "{}" {
			panic("no data")
		}
		c.Send(data, append(buffers, []byte{0, 255})...)
	})
})`}, tr)
	say := func(kind, data string) {
		t.Helper()
		front.Kind, front.Data = kind, json.RawMessage(data)
		if err := s.Comm(front); err != nil {
			t.Fatal(err)
		}
	}
	say(output.CommOpen, "{}")
	say(output.CommMsg, `{"n":1}`)
	say(output.CommMsg, `{}`)
	front.Buffers = [][]byte{{}, {0, 0x80}}
	say(output.CommMsg, `{"n":2}`)
	eventually(t, "both answers", func() bool { return strings.Contains(tr.text(), `{"n":2}`) })
	eventually(t, "the panic", func() bool { return strings.Contains(tr.text(), "panic: no data") })
	mustContain(t, tr.text(), "[comm msg ]\n{\"n\":1}", "[comm msg ]\n{\"n\":2}\nbuffers [ 0080 00ff]")

	dead := &transcript{}
	s.Execute(t.Context(), output.Request{StoreHistory: true, Code: "syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}"}, dead)
	eventually(t, "the comm's end", func() bool { return strings.Contains(dead.text(), "[comm close ]") })
	if err := s.Comm(front); err == nil {
		t.Error("a message to a comm of a dead worker was taken")
	}
}

// TestCommFromCell: a cell opens a comm, whose messages arrive in order with the cell's output.
func TestCommFromCell(t *testing.T) {
	s := newTestSession(t)
	got := execute(t, s, `import "github.com/perijove/perijove/lib/comm"
fmt.Println("before")
c, err := comm.New("target", map[string]int{"n": 1}, nil)
fmt.Println("between", err)
c.Send(map[string]int{"n": 2})
c.Close()`)
	want := "[stdout]\nbefore\n[comm open target]\n{\"n\":1}\n[stdout]\nbetween <nil>\n[comm msg ]\n{\"n\":2}\n[comm close ]"
	if strings.TrimSpace(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestDeadlockBesideWidgets: widgets without handlers do not prevent the detection of a deadlock.
func TestDeadlockBesideWidgets(t *testing.T) {
	s := newTestSession(t)
	mustContain(t, execute(t, s, `import "github.com/perijove/perijove/lib/widget"
slider := widget.NewIntSlider("n", 0, 9, 1)
bar := widget.NewIntProgress("done", 3)
bar.Add(1)
<-make(chan int)`), "[error Deadlock]")
	mustContain(t, execute(t, s, `import "github.com/perijove/perijove/lib/comm"
button := widget.NewButton("go")
fmt.Println("before:", comm.HasHandlers())
slider.OnChange(func(int) {})
fmt.Println("with a slider:", comm.HasHandlers())`), "before: false", "with a slider: true")
}
