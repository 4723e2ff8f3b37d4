package session

import "testing"

// TestLibraryCellsUseWorkersCode checks that cells which use the library's generic code for common types are compiled once, against
// packages without bodies of generic code, and that those which cannot be are compiled with inlining at once. Of the former, those whose instances are
// all declared must refer to the declarations.
func TestLibraryCellsUseWorkersCode(t *testing.T) {
	s := newTestSession(t)
	cells := []struct {
		code     string
		thin     int // the number of its units that are compiled without inlining
		declared int // the number of its units that refer to declarations of instances
	}{
		{"import \"github.com/perijove/perijove/lib/mp\"\nfunc square(n int) int { return n * n }", 1, 0},
		{"{ v, _ := mp.NewValue(mp.Goroutines, 1); mp.Add(v, 1); fmt.Println(v) }", 1, 1},
		{"q, err := mp.NewQueue[int](mp.Goroutines, 1)", 1, 1},
		{"q.TryPut(1)", 1, 1},
		{"q.Get(ctx)", 1, 1},
		{"q", 1, 1},
		{"{ var p mp.Pool; r, err := mp.Map[int](ctx, &p, square, []int{1, 2}); fmt.Println(r, err) }", 1, 1},
		{"{ var p mp.Pool; for range mp.Stream[int](ctx, &p, square, slices.Values([]int{1, 2})) {} }", 1, 1},
		{"a, _ := mp.NewArray[float64](mp.Processes, 9)", 1, 1},
		{"j, _ := mp.NewJoinableQueue[int](mp.Goroutines, 1)", 1, 0}, // it embeds an instance
		{"{ _, _, _ = any(q).(*mp.Queue[ // a comment\nint]), j, err }", 1, 0},
		{"{ _, _ = q, mp.NewQueue[string] }", 1, 1},
		{"{ var p mp.Pool; mp.ForEach(ctx, &p, func(mp.None) {}, []mp.None{{}}) }", 1, 1},
		{"for range 3 { q.TryPut(1) }", 0, 0}, // calls in a loop
		{"a.Len()", 0, 0},                     // so short that it is always inlined
		{"{ q, _ := mp.NewQueue[[3]int](mp.Goroutines, 1); q.Close() }", 0, 0},
	}
	compiler := s.program.Load().Compiler
	for _, c := range cells {
		before := compiler.Counts()
		execute(t, s, c.code)
		after := compiler.Counts()
		units, waiting, thin := after.Units-before.Units, after.Waiting-before.Waiting, after.NoInlining-before.NoInlining
		if units != 1 {
			t.Errorf("%s: compiled %d times", c.code, units)
		}
		if waiting == 1 && thin != c.thin { // else no compiler was waiting, and the counts do not tell
			t.Errorf("%s: %d units without inlining, want %d", c.code, thin, c.thin)
		}
		if got := after.Declared - before.Declared; got != c.declared {
			t.Errorf("%s: %d units refer to declarations, want %d", c.code, got, c.declared)
		}
	}
}
