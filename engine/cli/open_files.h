#pragma once
// How many files the process may have open. Main thread.

namespace freshet {

// As many as the system lets it: a task's store takes some, and the usual limit is made for programs that
// wait for descriptors with select().
void AllowOpenFiles();

}  // namespace freshet
