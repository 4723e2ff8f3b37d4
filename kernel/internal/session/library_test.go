package session

import "testing"

// TestLibraryCellsUseWorkersCode checks that cells which use the library's generic code for common types are compiled once, against
// packages without bodies of generic code, and that those which cannot be are compiled with inlining at once.
func TestLibraryCellsUseWorkersCode(t *testing.T) {
	s := newTestSession(t)
	cells := []struct {
		code string
		thin int // the number of its units that are compiled without inlining
	}{
		{"import \"github.com/perijove/perijove/lib/mp\"\nfunc square(n int) int { return n * n }", 1},
		{"{ v, _ := mp.NewValue(mp.Goroutines, 1); mp.Add(v, 1); fmt.Println(v) }", 1},
		{"q, err := mp.NewQueue[int](mp.Goroutines, 1)", 1},
		{"q.TryPut(1)", 1},
		{"q.Get(ctx)", 1},
		{"q", 1},
		{"{ var p mp.Pool; r, err := mp.Map[int](ctx, &p, square, []int{1, 2}); fmt.Println(r, err) }", 1},
		{"{ var p mp.Pool; for range mp.Stream[int](ctx, &p, square, slices.Values([]int{1, 2})) {} }", 1},
		{"a, _ := mp.NewArray[float64](mp.Processes, 9)", 1},
		{"for range 3 { q.TryPut(1) }", 0}, // calls in a loop
		{"a.Len()", 0},                     // so short that it is always inlined
		{"{ q, _ := mp.NewQueue[[3]int](mp.Goroutines, 1); q.Close() }", 0},
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
	}
}
