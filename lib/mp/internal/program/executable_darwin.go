package program

import "os"

// Executable returns the path of this program's file.
func Executable() (string, error) { return os.Executable() }
