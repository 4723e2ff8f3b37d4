package pool

import (
	"math"
	"testing"
)

func TestWholeCores(t *testing.T) {
	for _, c := range []struct {
		n     int
		quota float64
		want  int
	}{{4, math.Inf(1), 4}, {4, 1.5, 2}, {4, 2, 2}, {4, 9, 4}, {4, 0.01, 1}, {0, 2, 1}} {
		if got := wholeCores(c.n, c.quota); got != c.want {
			t.Errorf("%v of %d cores is %d, want %d", c.quota, c.n, got, c.want)
		}
	}
}
