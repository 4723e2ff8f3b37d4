package mp_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(role); name != "" {
		os.Exit(playRole(name))
	}
	if childHost != nil {
		mphost.RunChild(childHost)
	}
	// Otherwise every exit takes a second under the race detector.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
		panic(err)
	}
	if n, err := strconv.Atoi(os.Getenv(coresVariable)); err == nil {
		mp.SetCores(n)
	}
	if n, err := strconv.Atoi(os.Getenv(limitVariable)); err == nil {
		mp.SetMaxValue(n)
	}
	mp.Init()
	os.Exit(m.Run())
}

// coresVariable is the environment variable with the number of cores that the tests
// assume.
const coresVariable = "MP_TEST_CORES"

// limitVariable is the environment variable with the largest size, in bytes, of a value
// that a child can send.
const limitVariable = "MP_TEST_LIMIT"

// watchdog returns a context that ends when a test hangs, so that the test fails and
// not the whole run.
func watchdog(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, errHang)
	t.Cleanup(cancel)
	return ctx
}

type hang struct{}

func (hang) Error() string { return "the watchdog's five minutes are over: something hangs" }

var errHang = hang{}

// onBoth runs a test with each backend.
func onBoth(t *testing.T, f func(t *testing.T, b mp.Backend)) {
	for _, b := range []mp.Backend{mp.Goroutines, mp.Processes} {
		t.Run(b.String(), func(t *testing.T) { f(t, b) })
	}
}
