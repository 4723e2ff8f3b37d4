package mphost

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/lib/mp/internal/program"
)

// Announce shows notices that name the variables of the function at pc that may have
// other values in a child.
func Announce(h Host, pc uintptr) {
	for _, text := range readsNotices(pc, h) {
		h.Notice(text)
	}
}

// readsNotices returns the texts of these notices.
func readsNotices(pc uintptr, h Host) (texts []string) {
	say := func(names []string, one, more string) {
		format := one
		if len(names) > 1 {
			format = more
		}
		if len(names) > 0 {
			texts = append(texts, fmt.Sprintf("mp: %s uses the "+format, program.ShortName(pc), strings.Join(names, ", ")))
		}
	}
	zero, initial := h.Reads(pc)
	say(zero, "variable %s, which is zero in a child process, since its initializer may have effects or use variables that have changed. "+
		"Pass it as an argument, or set it in an mp.Initializer.",
		"variables %s, which are zero in a child process, since their initializers may have effects or use variables that have changed. "+
			"Pass them as arguments, or set them in an mp.Initializer.")
	say(initial, "variable %s. A child process has its own copy, with the initial value.",
		"variables %s. A child process has its own copies, with the initial values.")
	return texts
}
