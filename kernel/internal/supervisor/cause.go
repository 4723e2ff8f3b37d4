package supervisor

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// explanations explain error texts of the Go runtime.
var explanations = []struct {
	words *regexp.Regexp
	text  string
}{
	{regexp.MustCompile(`concurrent map`), "two goroutines used a map at the same time and one of them wrote; guard it with a sync.Mutex"},
	{regexp.MustCompile(`(?i)unlock of unlocked`), "a mutex was unlocked although it was not locked"},
	{regexp.MustCompile(`stack overflow`), "the stack overflowed, as when a function calls itself without end"},
	{regexp.MustCompile(`thread exhaustion`), "too many goroutines were blocked in system calls at once, each on its own thread"},
	{regexp.MustCompile(`all goroutines are asleep`), "every goroutine was blocked"},
	{regexp.MustCompile(`^fatal error: fault|^SIGSEGV|^SIGBUS|unexpected signal`), "an invalid pointer was used, as unsafe code can make one"},
	{regexp.MustCompile(`bad pointer|invalid pointer|free object|unallocated span|bad summary data|allocation count`), "the garbage collector found damaged memory; unsafe code or a data race may have damaged it"},
}

// explain returns the runtime's error text with an explanation, if there is one.
func explain(words string) string {
	for _, e := range explanations {
		if e.words.MatchString(words) {
			return e.text + " (" + words + ")"
		}
	}
	return words
}

// endedBySignal returns a sentence about the signal that ended the worker process. killsBefore is the value of oomKills
// when the process started.
func endedBySignal(sig syscall.Signal, root fs.FS, killsBefore int) string {
	text := fmt.Sprintf("it was ended by signal %d (%v)", sig, sig)
	if sig == syscall.SIGKILL && oomKills(root) > killsBefore {
		text += ", perhaps by the system because memory ran out: since this process started, the system has ended processes for that reason"
	}
	return text
}

// oomKills returns how many processes Linux's OOM killer has ended: the sum of the counts for the machine and for this
// process's cgroup (version 2).
func oomKills(root fs.FS) int {
	n := countIn(root, "proc/vmstat", "oom_kill")
	group, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return n
	}
	for line := range strings.Lines(string(group)) {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/"); ok {
			n += countIn(root, path.Join("sys/fs/cgroup", path.Clean("/"+dir), "memory.events"), "oom_kill")
		}
	}
	return n
}

// countIn reads the value of name from a file of lines "name value", or returns 0.
func countIn(root fs.FS, file, name string) int {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(value)) // 0 if it is not a number
			return n
		}
	}
	return 0
}
