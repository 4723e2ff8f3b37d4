package mp

import "github.com/perijove/perijove/lib/mp/mphost"

// Init makes this program able to start children, and is where they begin: in
// a child it runs what the parent sends and exits the process. Call it first
// in main; in tests, in TestMain.
func Init() {
	h := mphost.Program()
	if mphost.IsChild() {
		mphost.RunChild(h)
	}
	mphost.Set(h)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
