package perijove

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/perijove/perijove/"

// arrows says, for each room, which rooms of the module it may import. What is
// not named is a room that may import all others: the program and the tests.
var arrows = map[string]string{
	"kernel/internal/wire":       "kernel/internal/output",
	"kernel/internal/output":     "",
	"kernel/internal/cell":       "",
	"kernel/internal/goobj":      "",
	"kernel/internal/platform":   "",
	"kernel/internal/control":    "",
	"kernel/internal/kernelspec": "",
	"kernel/internal/transport":  "kernel/internal/wire",
	"kernel/internal/server":     "kernel/internal/wire kernel/internal/transport kernel/internal/output kernel/internal/version",
	"kernel/internal/link":       "kernel/internal/goobj kernel/internal/platform",
	"kernel/internal/image":      "kernel/internal/goobj kernel/internal/link",
	"kernel/internal/build":      "kernel/internal/cell",
	"kernel/internal/modules":    "kernel/internal/image",
	"kernel/internal/notebook":   "kernel/internal/output",
	"kernel/internal/worker":     "kernel/internal/control kernel/internal/link lib/display lib/mp",
	"kernel/internal/session":    "kernel/internal/build kernel/internal/cell kernel/internal/control kernel/internal/image kernel/internal/modules kernel/internal/output lib/display",
	"lib/mp":                     "",
	"lib/display":                "",
	"lib/speedup":                "lib/mp lib/display",
}

// TestArrows keeps the rooms of ARCHITECTURE.md apart.
func TestArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		room := strings.TrimPrefix(words[0], module)
		allowed, listed := arrows[room]
		if listed {
			seen++
		}
		for _, imported := range words[1:] {
			to, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			if strings.HasPrefix(room, "lib/") && strings.HasPrefix(to, "kernel/") {
				t.Errorf("%s imports %s: the library must not know the kernel", room, to)
			}
			if listed && !strings.Contains(" "+allowed+" ", " "+to+" ") {
				t.Errorf("%s imports %s, which ARCHITECTURE.md does not allow", room, to)
			}
		}
	}
	if seen != len(arrows) {
		t.Errorf("%d of %d rooms exist: the list is out of date", seen, len(arrows))
	}
}
