// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch.h"
#include "kernel.h"
#include "util.h"

/* Where a module tree may be, beside the image. */
static char *find_modules(const char *folder, const char *release)
{
	char *candidates[] = {
		format("%s/modules", folder),
		format("%s/modules/%s", folder, release),
		format("%s/modules/lib/modules/%s", folder, release),
		format("%s/lib/modules/%s", folder, release),
	};
	char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		char *dep = format("%s/modules.dep", candidates[i]);

		if (!found && !access(dep, R_OK))
			found = candidates[i];
		else
			free(candidates[i]);
		free(dep);
	}
	return found;
}

/* The path of a kernel, and what is there. */
static char *find_path(const char *name, const struct arch *arch, struct stat *st)
{
	char *path;

	if (strchr(name, '/')) {
		path = format("%s", name);
	} else {
		path = format("%s/kernels/%s%s", cache_folder(), name, arch->suffix);
		if (stat(path, st) && !stat(name, st)) {
			free(path);
			path = format("./%s", name);
		} else if (stat(path, st)) {
			die("kernel %s is not there, run: testvm/kernels/kernel.sh --arch %s %s",
			    name, arch->name, name);
		}
	}
	if (stat(path, st))
		die("kernel %s: %s", path, strerror(errno));
	return path;
}

void kernel_find(struct kernel *kernel, const char *name, const struct arch *arch)
{
	struct stat st;
	char *path = find_path(name, arch, &st), *folder, *slash;

	if (S_ISDIR(st.st_mode)) {
		folder = path;
		kernel->image = format("%s/vmlinuz", folder);
		if (access(kernel->image, F_OK)) {
			free(kernel->image);
			kernel->image = format("%s/%s", folder, arch->image);
		}
	} else {
		folder = format("%s", path);
		kernel->image = path;
		slash = strrchr(folder, '/');
		slash[slash == folder] = '\0';
	}
	kernel->release = arch->image_release(kernel->image);
	kernel->modules = find_modules(folder, kernel->release);
	kernel->busybox = arch->busybox ? format("%s", arch->busybox) :
			  format("%s/busybox", folder);
	/* The VM's files are found from another working directory. */
	path = realpath(kernel->image, NULL);
	if (!path)
		die("%s: %s", kernel->image, strerror(errno));
	free(kernel->image);
	kernel->image = path;
}
