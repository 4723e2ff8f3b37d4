package session

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// runCode executes a cell and returns its reply and its transcript, which later output of
// the cell's goroutines extends.
func runCode(t *testing.T, s *Session, code string) (output.Reply, *transcript) {
	t.Helper()
	tr := &transcript{}
	return s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true}, tr), tr
}

// TestLatePanic: if a goroutine panics after its cell has ended, that cell shows the panic, and no other cell fails.
func TestLatePanic(t *testing.T) {
	s := newTestSession(t)
	first, tr := runCode(t, s, "gate := make(chan bool)\ngo func() {\n\tgo func() { <-gate; panic(\"late\") }()\n}()")
	own, own2 := runCode(t, s, "import \"runtime/pprof\"\ngo pprof.Do(context.Background(), pprof.Labels(\"a\", \"b\"), func(context.Context) { <-gate; panic(\"labelled\") })")
	fin, tr3 := runCode(t, s, "type thing struct{ next *thing }\nfunc drop() { runtime.SetFinalizer(&thing{&thing{}}, func(*thing) { <-gate; panic(\"finalized\") }) }\ndrop()\nwait := make(chan bool)")
	after, tr4 := runCode(t, s, "runtime.GC()\nclose(gate)\ntime.AfterFunc(100*time.Millisecond, func() { close(wait) })\n<-wait\n\"ok\"")
	for i, r := range []output.Reply{first, own, fin, after} {
		if r.Status != output.OK {
			t.Errorf("cell %d: %v", i+1, r.Error)
		}
	}
	defer func() {
		if t.Failed() {
			t.Log(tr.text(), own2.text(), tr3.text(), tr4.text())
		}
	}()
	eventually(t, "the panics", func() bool {
		return strings.Contains(tr.text(), "literal") && strings.Contains(own2.text(), "literal") && strings.Contains(tr3.text(), "drop.func1")
	})
	mustContain(t, tr.text(), "[stderr]\npanic: late, in the goroutine started at Cell [1] line 3\n", "started at Cell [1] line 3, in the cell\n")
	mustContain(t, own2.text(), "[stderr]\npanic: labelled, in the goroutine started at Cell [2] line 2\n")
	mustContain(t, tr3.text(), "[stderr]\npanic: finalized, in a finalizer\n", "Cell [3] line 2, in ")
	if got, want := tr4.text(), "[result text/plain]\n\"ok\"\n"; got != want {
		t.Errorf("the cell during which they panicked: %q, want %q", got, want)
	}
}

// TestManyPanics: when many goroutines panic at once, one panic fails the cell, and the
// cell reports all of them.
func TestManyPanics(t *testing.T) {
	s := newTestSession(t)
	const n = 200
	reply, tr := runCode(t, s, fmt.Sprintf(`func() {
	var wg sync.WaitGroup
	gate := make(chan bool)
	for i := range %d {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-gate
			panic(fmt.Sprintf("number %%d.", i))
		}()
	}
	close(gate)
	wg.Wait()
}()`, n))
	if reply.Status != output.Failed || reply.Error.Name != "panic" || !strings.Contains(reply.Error.Value, "in the goroutine started at Cell [1] line 6") {
		t.Errorf("%s: %v", reply.Status, reply.Error)
	}
	if got := execute(t, s, "1 + 1"); got != "[result text/plain]\n2\n" {
		t.Errorf("the next cell: %s", got)
	}
	eventually(t, "all panics", func() bool { return strings.Count(tr.text(), "panic: number ") == n })
	for i := range n {
		if text := fmt.Sprintf("panic: number %d., in", i); strings.Count(tr.text(), text) != 1 {
			t.Errorf("%q is there %d times", text, strings.Count(tr.text(), text))
		}
	}
}

// TestPanicBeforeTheEnd: a panicking goroutine fails its cell every time, even if a
// deferred function of the goroutine lets the cell end.
func TestPanicBeforeTheEnd(t *testing.T) {
	s := newTestSession(t)
	for i := range 200 {
		reply, tr := runCode(t, s, "done := make(chan bool)\ngo func() { defer close(done); panic(\"boom\") }()\n<-done")
		if reply.Status != output.Failed {
			t.Fatalf("run %d: %s\n%s", i, reply.Status, tr.text())
		}
		mustContain(t, tr.text(), fmt.Sprintf("[error panic]\npanic: boom, in the goroutine started at Cell [%d] line 2\n", i+1))
	}
}

// TestTwoPanics: a panic of the cell itself and a panic of its goroutine are both shown.
func TestTwoPanics(t *testing.T) {
	s := newTestSession(t)
	for range 20 {
		reply, tr := runCode(t, s, `func() {
	ready, over := make(chan bool), make(chan bool)
	go func() { defer close(over); <-ready; panic("of the goroutine") }()
	defer func() { close(ready); <-over }()
	panic("of the cell")
}()`)
		if reply.Status != output.Failed {
			t.Errorf("it ended as %s", reply.Status)
		}
		mustContain(t, tr.text(), "panic: of the goroutine, in the goroutine started at", "panic: of the cell\n")
	}
}
