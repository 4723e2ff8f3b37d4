package session

import (
	"testing"
)

// TestBenchmarks runs benchmarks and tests in the worker process and as standalone programs. It is not a scenario since
// the output differs between runs.
func TestBenchmarks(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *Session{"worker": newTestSession, "standalone": newStandaloneSession} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			mustContain(t, execute(t, s, "%test"), "there are no tests: declare functions such as func TestX")
			execute(t, s, "func half(n int) int { return n / 2 }")
			got := execute(t, s, "%test\nfunc BenchmarkHalf(b *testing.B) {\n\tfor b.Loop() { half(b.N) }\n}\nfunc TestHalf(t *testing.T) { t.Log(half(8)) }")
			mustContain(t, got, "BenchmarkHalf", "ns/op", "--- PASS: TestHalf", "PASS")
			mustContain(t, execute(t, s, "%test -bench . -benchtime 1x -run None"), "BenchmarkHalf", " 1\t", "ns/op")
			mustContain(t, execute(t, s, "%test\nfunc TestFails(t *testing.T) { t.Fail() }"), "--- FAIL: TestFails", "exit status 1")
			mustContain(t, execute(t, s, "%test\nfunc TestPanics(t *testing.T) { panic(half(6)) }"), "3", "panic")
			mustContain(t, execute(t, s, "fmt.Println(len(os.Args), half(4))"), "1 2")
		})
	}
}
