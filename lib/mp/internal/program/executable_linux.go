package program

// Executable returns the path of this program's file, which leads to it even if
// the file was replaced or deleted.
func Executable() (string, error) { return "/proc/self/exe", nil }
