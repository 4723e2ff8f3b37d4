package mp_test

import (
	"testing"

	"github.com/perijove/perijove/lib/internal/pooltest"
	"github.com/perijove/perijove/lib/mp"
)

func TestPoolOptions(t *testing.T) {
	pooltest.Run(t, func(t *testing.T, opts ...mp.PoolOption) *mp.Pool {
		return newPool(t, mp.Processes, append(opts, mp.Workers(2))...)
	})
}
