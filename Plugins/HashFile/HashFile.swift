// HashFile
