// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "util.h"

/* The boot protocol's header, in bytes from the start of the image. */
#define HEADER_MAGIC	0x202
#define HEADER_VERSION	0x20e
#define HEADER_BASE	0x200
#define HEADER_SIZE	0x8000

/* The release stands as text in the image's real-mode part. */
static char *image_release(const char *path)
{
	char header[HEADER_SIZE + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint16_t version;
	ssize_t size;

	if (fd < 0)
		die("cannot read the kernel %s: %s", path, strerror(errno));
	size = read(fd, header, HEADER_SIZE);
	close(fd);
	if (size < HEADER_BASE + 0x100 || memcmp(header + HEADER_MAGIC, "HdrS", 4))
		die("%s is no bzImage", path);
	memcpy(&version, header + HEADER_VERSION, sizeof(version));
	if (!version || version + HEADER_BASE >= size)
		die("%s does not tell its release", path);
	return format("%.*s", (int)strcspn(header + HEADER_BASE + version, " "),
		      header + HEADER_BASE + version);
}

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

void kernel_find(struct kernel *kernel, const char *name)
{
	char *path, *folder, *slash;
	struct stat st;

	if (strchr(name, '/')) {
		path = format("%s", name);
	} else {
		path = format("%s/kernels/%s", cache_folder(), name);
		if (stat(path, &st) && !stat(name, &st)) {
			free(path);
			path = format("./%s", name);
		} else if (stat(path, &st)) {
			die("kernel %s is not there, run: testvm/kernels/kernel.sh %s",
			    name, name);
		}
	}
	if (stat(path, &st))
		die("kernel %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		folder = path;
		kernel->image = format("%s/vmlinuz", folder);
		if (access(kernel->image, F_OK)) {
			free(kernel->image);
			kernel->image = format("%s/bzImage", folder);
		}
	} else {
		folder = format("%s", path);
		kernel->image = path;
		slash = strrchr(folder, '/');
		slash[slash == folder] = '\0';
	}
	kernel->release = image_release(kernel->image);
	kernel->modules = find_modules(folder, kernel->release);
	/* The VM's files are found from another working directory. */
	path = realpath(kernel->image, NULL);
	if (!path)
		die("%s: %s", kernel->image, strerror(errno));
	free(kernel->image);
	kernel->image = path;
}
