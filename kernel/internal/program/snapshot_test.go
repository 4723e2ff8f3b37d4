package program

import (
	"testing"
)

// TestSnapshot: later changes of the program do not change a snapshot.
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
	was := p.Snapshot()
	commit(2, "type T struct{ Other int }\nvar w T\nimport b \"bytes\"")
	if _, err := p.Remove("c"); err != nil {
		t.Fatal(err)
	}
	p.WorkerLost()
	for _, name := range []string{"T", "v", "c", "T.M"} {
		if was.Table.Names[name] == nil {
			t.Errorf("%s is gone from the snapshot", name)
		}
	}
	if was.Table.Names["w"] != nil || was.Table.Imports["b"] != "" || len(was.Table.Lost) > 0 || was.Table.Imports["s"] == "" || len(was.Table.Methods["T"]) != 1 {
		t.Errorf("the snapshot has changed: %+v", was.Table)
	}
	if p.table.Names["w"] != nil || p.table.Names["c"] != nil || p.table.Lost["w"] != 2 {
		t.Errorf("the program has not: %+v", p.table)
	}
}
