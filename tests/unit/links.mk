# Which folders (all their objects) or single files a unit test links. Default: server/base.
# LINKS_test_name := server/base server/mysql emulators/dms/dms_csv.c
LINKS_test_csv_scan := server/base emulators/glue/merge
LINKS_test_merge := server/base emulators/glue/merge
