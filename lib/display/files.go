package display

import "github.com/perijove/perijove/lib/display/displayhost"

// WriteFiles makes a program write what it shows to files in a folder, beside the text forms that it prints: 001.png, 002.html and so on, one file
// for each form, and a page index.html with all of them. An update of a display replaces its files. Values that have only a text form have no
// file. The folder is created if necessary; an empty dir ends the writing. In a notebook WriteFiles has no effect. It can be called concurrently.
func WriteFiles(dir string) error { return displayhost.WriteFiles(dir) }
