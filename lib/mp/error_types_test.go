package mp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func failInManyWays(how string) (int, error) {
	switch how {
	case "panic":
		panic(how)
	case "runtime error":
		var s []int
		return s[len(how)], nil
	case "wrapped":
		return 0, fmt.Errorf("within: %w", os.ErrNotExist)
	case "exit":
		os.Exit(7)
	case "slow":
		time.Sleep(50 * time.Millisecond)
	}
	return 0, nil
}

// TestErrorsAreOfPackageMP checks that the errors that users see have types of package
// mp, also as %T prints them, or of the standard library.
func TestErrorsAreOfPackageMP(t *testing.T) {
	known := regexp.MustCompile(`^\*?(mp|fmt|errors|fs|runtime|context|syscall|poll)\.|^\*errors`)
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := newPool(t, b, mp.Workers(1), mp.TaskTimeout(20*time.Millisecond))
		seen := map[string]bool{}
		for _, how := range []string{"panic", "runtime error", "wrapped", "exit", "slow"} {
			if how == "exit" && b == mp.Goroutines {
				continue
			}
			_, err := mp.Map[int](watchdog(t), p, failInManyWays, []string{how})
			_, err2 := mp.Submit[int](watchdog(t), p, failInManyWays, how).Result(watchdog(t))
			if err == nil || err2 == nil {
				t.Fatalf("%s: no error", how)
			}
			for _, e := range []error{err, err2} {
				walkErrors(e, func(e error) {
					name := fmt.Sprintf("%T", e)
					if seen[name] = true; !known.MatchString(name) {
						t.Errorf("%s: an error is a %s: %v", how, name, e)
					}
				})
			}
		}
		want := []string{"*mp.MapError", "*mp.PanicError"}
		if b == mp.Processes {
			want = append(want, "*mp.RemoteError", "*mp.ExitError")
		}
		for _, name := range want {
			if !seen[name] {
				t.Errorf("no error was a %s: %v", name, seen)
			}
		}
	})
}

func walkErrors(err error, visit func(error)) {
	if err == nil || err == context.DeadlineExceeded {
		return
	}
	visit(err)
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			walkErrors(part, visit)
		}
	default:
		walkErrors(errors.Unwrap(err), visit)
	}
}
