package program

import (
	"slices"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/program/programtest"
)

// A busyImporter does not answer, as when the go command runs, but for what it
// has answered before.
type busyImporter struct {
	*programtest.Std
	busy chan struct{} // nil or closed: it answers
}

func (im *busyImporter) Archive(path string) (string, error) {
	if im.busy != nil {
		<-im.busy
	}
	return im.Std.Archive(path)
}

func (im *busyImporter) Packages() map[string]string {
	if im.busy != nil {
		<-im.busy
	}
	return map[string]string{"example.com/a": "a"}
}

// TestQueriesBesideBusyPackages: a query leaves out what the go command has yet
// to answer, and the answer helps a later one.
func TestQueriesBesideBusyPackages(t *testing.T) {
	im := &busyImporter{Std: programtest.NewStd(t)}
	p := newProgram(t, func(cfg *Config) { cfg.Importer = im })
	u, err := buildText(t.Context(), p, 1, "import \"strings\"\nvar known = strings.ToUpper(\"a\")")
	if err != nil {
		t.Fatal(err)
	}
	p.Commit(u)
	im.busy = make(chan struct{})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for _, test := range []struct{ src, want string }{
			{"strings.ToUp", "ToUpper"},
			{"kno", "known"},
			{"undefined.X + bytes.TrimSp", ""},
			{"import \"net/htt", "net/http"},
			{"import \"net/url\"\nkno", "known"},
		} {
			list, _, _ := p.Complete(test.src, len(test.src))
			if has := slices.ContainsFunc(list, func(c Candidate) bool { return c.Name == test.want }); has != (test.want != "") {
				t.Errorf("%q: %v", test.src, list)
			}
		}
		p.Describe("bytes.TrimSpace", 8)
	}()
	select {
	case <-answered:
	case <-time.After(time.Minute):
		t.Fatal("a query waits for the go command")
	}
	close(im.busy)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if list, _, _ := p.Complete("bytes.TrimSp", 12); len(list) == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the package never comes")
		}
	}
}

// TestSnapshot: a query that is under way sees nothing of a change.
func TestSnapshot(t *testing.T) {
	p := newProgram(t)
	commit := func(n int, src string) {
		t.Helper()
		u, err := buildText(t.Context(), p, n, src)
		if err != nil {
			t.Fatal(err)
		}
		p.Commit(u)
	}
	commit(1, "type T struct{ N int }\nfunc (T) M() {}\nvar v T\nconst c = 1\nimport s \"strings\"")
	was := p.snapshot()
	commit(2, "type T struct{ Other int }\nvar w T\nimport b \"bytes\"")
	if _, err := p.Remove("c"); err != nil {
		t.Fatal(err)
	}
	p.WorkerLost()
	for _, name := range []string{"T", "v", "c", "T.M"} {
		if was.table.Names[name] == nil {
			t.Errorf("%s is gone from the snapshot", name)
		}
	}
	if was.table.Names["w"] != nil || was.table.Imports["b"] != "" || len(was.table.Lost) > 0 || was.table.Imports["s"] == "" || len(was.table.Methods["T"]) != 1 {
		t.Errorf("the snapshot has changed: %+v", was.table)
	}
	if p.table.Names["w"] != nil || p.table.Names["c"] != nil || p.table.Lost["w"] != 2 {
		t.Errorf("the program has not: %+v", p.table)
	}
}
