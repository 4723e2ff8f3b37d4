package mp_test

import (
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

func overflow(n int) int { debug.SetMaxStack(1 << 20); return deeper(n) }

//lint:ignore SA5007 it is to overflow the stack
func deeper(n int) int { return deeper(n+1) + 1 }

func writeMapAtOnce(int) int {
	runtime.GOMAXPROCS(4) // with one, a goroutine is hardly ever interrupted inside of an assignment
	m := map[int]int{}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				m[i%10] = i
			}
		}()
	}
	select {}
}

func unlockUnlocked(int) int { new(sync.Mutex).Unlock(); return 1 }

func allocateTooMuch(n int) int {
	var all [][]byte
	for {
		all = append(all, make([]byte, 1<<46))
		n += len(all)
	}
}

func nilMapWrite(int) int {
	done := make(chan int)
	//lint:ignore SA5000 it is to panic
	go func() { var m map[int]int; m[1] = 1; close(done) }()
	<-done
	return 1
}

func printThenDie(int) int {
	println("fatal error: not this one")
	println("a line")
	return unlockUnlocked(1)
}

func TestCauseOfAFatalError(t *testing.T) {
	for line, f := range map[string]func(int) int{
		"fatal error: stack overflow":                   overflow,
		"fatal error: concurrent map":                   writeMapAtOnce,
		"fatal error: sync: unlock of unlocked mutex":   unlockUnlocked,
		"fatal error: sync: unlock of unlocked mutex\n": printThenDie,
		"out of memory":                                 allocateTooMuch,
		"panic: assignment to entry in nil map":         nilMapWrite,
	} {
		if raceDetector && strings.Contains(line, "concurrent map") {
			continue // the race detector reports this first
		}
		if raceDetector && line == "out of memory" {
			line = "fatal error: " // the race detector fails to allocate its own memory, with another text
		}
		_, err := result(mp.Go[int](watchdog(t), mp.Processes, f, 1, mp.Stderr(io.Discard)))
		e, ok := errors.AsType[*mp.ExitError](err)
		if !ok || !strings.Contains(e.Crash, line) || !strings.Contains(err.Error(), line) {
			t.Errorf("want %q, got %v", line, err)
		}
	}
}
