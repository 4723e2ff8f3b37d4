package program

// Executable returns a path of this program's file that works even if the file was
// replaced or deleted.
func Executable() (string, error) { return "/proc/self/exe", nil }
