package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// TestFinalizersGoOn: after a finalizer or cleanup has panicked or called os.Exit, further ones
// still run.
func TestFinalizersGoOn(t *testing.T) {
	for _, on := range []string{
		`runtime.SetFinalizer(p, func(*[4]int) { f() })`,
		`runtime.AddCleanup(p, func(int) { f() }, 0)`,
	} {
		for _, end := range []string{`panic("in a finalizer")`, "os.Exit(0)"} {
			s := newSession(t, nil)
			begin := fmt.Sprintf(`import ("os"; "runtime"; "time")
func onFree(f func()) { p := new([4]int); %s }
began := make(chan bool, 100)
func end() { began <- true; %s }
_ = os.Args
for range 20 { onFree(end) }
runtime.GC()
<-began`, on, end)
			// The cell fails if the panic comes before its end.
			if err := executeCell(t, s, begin, &recorder{}); err != nil && !strings.Contains(err.Error(), "in a finalizer") {
				t.Fatalf("%s\n%v", begin, err)
			}
			mustRun(t, s, `ran := make(chan bool, 1)
onFree(func() { ran <- true })
runtime.GC()
select {
case <-ran:
case <-time.After(2 * time.Minute):
	panic("no finalizer runs any more")
}`)
		}
	}
}
