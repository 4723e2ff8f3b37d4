package mp_test

import (
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

func countUp(c *mp.Counter) error {
	for range 5000 {
		c.Add(3)
		c.Add(-1)
	}
	return nil
}

func TestCounterCountsAll(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		c := made(mp.NewCounter(b))
		team(t, b, countUp, c)
		if n := c.Load(); n != parties*5000*2 {
			t.Errorf("counted %d, want %d", n, parties*5000*2)
		}
	})
}
