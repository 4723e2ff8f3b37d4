package compiler

import (
	"fmt"
	"testing"
)

// TestCounts: each unit is counted once, with the reason if a process that waited did not compile it.
func TestCounts(t *testing.T) {
	limit := int64(0)
	c := newCompiler(t, func(cfg *Config) { cfg.Memory = func() int64 { return limit } })
	object(t, c, "func f() {}") // before a process is ready
	want := Counts{Units: 1, NoneReady: 1}
	check := func(after string) {
		t.Helper()
		if got := c.Counts(); got != want {
			t.Errorf("after %s: %v, want %v", after, got, want)
		}
	}
	check("the first unit")
	for i, noInlining := range []bool{false, true} {
		prepared(t, c)
		u := unit("func f() {}")
		u.NoInlining = noInlining
		if _, err := c.Compile(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		want.Units++
		want.Waiting++
		want.NoInlining = i
		check(fmt.Sprint("no inlining ", noInlining))
	}
	w := prepared(t, c)
	w.importcfg = "another"
	object(t, c, "func f() {}")
	want.Units++
	want.Importcfg++
	check("other imports")
	prepared(t, c)
	object(t, c, "", "", "", "", "")
	want.Units++
	want.Files++
	check("many files")
	prepared(t, c)
	limit = 1 << 40
	object(t, c, "func f() {}")
	want.Units++
	want.Memory++
	check("another limit")
	prepared(t, c)
	if _, err := c.Compile(t.Context(), unit("func f() int { return nil }")); err == nil {
		t.Error("a mistake was compiled")
	}
	want.Units++
	want.Failed++
	check("a mistake")
}
