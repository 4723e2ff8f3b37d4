package mp_test

import (
	"fmt"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

type triple struct{ A, B, C int }

type valued struct {
	Word *mp.Value[uint32]
	Long *mp.Value[triple]
}

func raise(v valued) error {
	for range 500 {
		v.Word.Update(func(n uint32) uint32 { return n + 1 })
		v.Long.Update(func(x triple) triple { return triple{x.A + 1, x.B + 1, x.C + 1} })
		if x := v.Long.Load(); x.A != x.B || x.B != x.C {
			return fmt.Errorf("a torn value: %v", x)
		}
	}
	return nil
}

func TestValueUpdates(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		v := valued{made(mp.NewValue[uint32](b, 0)), made(mp.NewValue(b, triple{1, 1, 1}))}
		team(t, b, raise, v)
		const n = 500 * parties
		if v.Word.Load() != n || v.Long.Load() != (triple{n + 1, n + 1, n + 1}) {
			t.Errorf("got %d and %v", v.Word.Load(), v.Long.Load())
		}
		v.Long.Store(triple{A: 7})
		if v.Long.Load() != (triple{A: 7}) {
			t.Errorf("stored %v", v.Long.Load())
		}
	})
}

type named struct {
	N    int
	Info struct{ Name string }
}

func TestSharedTypesMustBePlain(t *testing.T) {
	_, err := mp.NewValue(mp.Processes, named{})
	refused(t, err, "named.Info.Name", "string", "pointer")
	_, err = mp.NewArray[[]int](mp.Processes, 3)
	refused(t, err, "[]int", "pointer")
}
